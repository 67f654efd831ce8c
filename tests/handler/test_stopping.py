"""That stopping has one time for everything, and what is done when it is over."""

import asyncio

import pytest

from packetcrypt.handler import stopping
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.stopping import StopClock


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """One number, the time that the clock is told."""
    time = [1000.0]
    monkeypatch.setattr(stopping.time, "monotonic", lambda: time[0])
    return time


def test_the_time_runs_from_the_first_question_on(now: list[float]) -> None:
    clock = StopClock(30.0)
    now[0] += 1000.0
    assert clock.left() == 30.0

    now[0] += 10.0
    assert clock.left() == 20.0
    now[0] += 30.0
    assert clock.left() == 0.0


async def test_an_action_that_takes_too_long_is_given_up() -> None:
    async def endless() -> None:
        await asyncio.Event().wait()

    await StopClock(0.01).in_time(endless)


async def test_an_action_within_the_time_is_done() -> None:
    done = asyncio.Event()

    async def action() -> None:
        done.set()

    await StopClock(30.0).in_time(action)

    assert done.is_set()


async def test_a_round_under_way_is_finished() -> None:
    begun, finished = asyncio.Event(), asyncio.Event()

    async def action() -> None:
        begun.set()
        await asyncio.sleep(0.01)
        finished.set()

    task = RegularTask(0.001, action)
    await begun.wait()
    await StopClock(30.0).finish(task)

    assert finished.is_set()
