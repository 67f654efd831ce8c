"""What the processes did together, and what went wrong in one of them."""

from collections.abc import Callable

import numpy as np
import pytest

from packetcrypt.kernels.numpy.process_round import ProcessRound
from packetcrypt.kernels.numpy.worker_messages import Answer, CheckShare, Command
from packetcrypt.protocol.errors import ProgramError

NOTHING = CheckShare(np.empty((0, 1024), np.uint8), np.empty((0, 32), np.uint8))


class StillPool:
    """Workers that answer when the test says so. orders : (worker, what to call)"""

    def __init__(self) -> None:
        self.orders: list[tuple[int, Callable[[Answer], None]]] = []
        self.cancelled: list[int] = []

    def send(self, worker: int, command: Command, answered: Callable[[Answer], None]) -> int:
        self.orders.append((worker, answered))
        return len(self.orders) - 1

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def answer(self, number: int, error: ProgramError | None = None) -> None:
        self.orders[number][1](Answer(number, error=error))


@pytest.fixture
def pool() -> StillPool:
    return StillPool()


@pytest.fixture
def work(pool: StillPool) -> ProcessRound:
    return ProcessRound(pool, [NOTHING] * 3)  # type: ignore[arg-type]


def test_each_process_gets_one_command(pool: StillPool, work: ProcessRound) -> None:
    assert [worker for worker, _ in pool.orders] == [0, 1, 2]


def test_it_is_done_when_all_have_answered(pool: StillPool, work: ProcessRound) -> None:
    for number in (2, 0):
        pool.answer(number)
    assert not work.done
    pool.answer(1)
    assert work.done
    assert work.results() == [None, None, None]


def test_an_error_of_one_ends_it(pool: StillPool, work: ProcessRound) -> None:
    pool.answer(1, ProgramError("too long"))
    assert work.done
    with pytest.raises(ProgramError, match="too long"):
        work.results()


def test_all_of_it_can_be_given_up(pool: StillPool, work: ProcessRound) -> None:
    work.give_up()
    assert pool.cancelled == [0, 1, 2]
