"""How the worker processes do one thing together, each its share."""

from collections.abc import Sequence

from packetcrypt.kernels.numpy.process_pool import ProcessPool
from packetcrypt.kernels.numpy.worker_messages import Answer, Command, Result
from packetcrypt.protocol.errors import PacketCryptError


class ProcessRound:
    """Commands under way: the first to the first process of a pool, and so on, at most one each."""

    def __init__(self, pool: ProcessPool, commands: Sequence[Command]) -> None:
        self._pool = pool
        self._error: PacketCryptError | None = None
        self._answers: dict[int, Answer] = {}
        self._numbers = [
            pool.send(worker, command, self._take) for worker, command in enumerate(commands)
        ]

    @property
    def done(self) -> bool:
        """Whether there is nothing to wait for: all is done, or something went wrong."""
        return self._error is not None or len(self._answers) == len(self._numbers)

    def results(self) -> list[Result]:
        """What came of the commands, in their order, when `done`. Raises what went wrong."""
        if self._error is not None:
            raise self._error
        return [self._answers[number].result for number in self._numbers]

    def give_up(self) -> None:
        """Nobody waits for what is not done yet."""
        for number in self._numbers:
            self._pool.cancel(number)

    def _take(self, answer: Answer) -> None:
        self._answers[answer.number] = answer
        self._error = self._error or answer.error
