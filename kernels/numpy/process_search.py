"""Which worker process searches which batch of which launch."""

from collections import deque
from collections.abc import Callable
from typing import Final

from packetcrypt.kernels.interface import FoundAnnouncements, SearchLaunch
from packetcrypt.kernels.numpy.batches import joined
from packetcrypt.kernels.numpy.process_pool import ProcessPool
from packetcrypt.kernels.numpy.worker_messages import Answer, SearchBatch
from packetcrypt.protocol.errors import DeviceError, PacketCryptError

#: Batches that a process has, the one that it searches included: it must not wait for us.
_AHEAD: Final = 2
#: How often `cancelled` is asked.
_POLL_S: Final = 0.005


class ProcessSearch:
    """Deals the batches of launches to the processes of a pool, to each as it gets on.

    So a process that has to prepare a table, or whose core is busy otherwise, searches less.

    launches : that may be outstanding
    """

    def __init__(self, pool: ProcessPool, launches: int) -> None:
        self._pool = pool
        self._limit = launches
        self._launches: list[ProcessLaunch] = []
        self._dealt = [0] * pool.count

    def launch(
        self, batches: list[SearchBatch], cancelled: Callable[[], bool] | None
    ) -> "ProcessLaunch":
        """Begin to search some batches."""
        if len(self._launches) == self._limit:
            raise DeviceError(
                f"{self._limit} launches are under way, which is the limit: "
                "take the result of one before the next"
            )
        launch = ProcessLaunch(self, batches, cancelled)
        self._launches.append(launch)
        self._deal()
        return launch

    def wait(self) -> None:
        """Wait for something to happen, some milliseconds at most, and see to what is due."""
        for launch in self._launches:
            launch.poll(self._pool.cancel)
        self._pool.wait(_POLL_S)
        self._deal()

    def taken(self, launch: "ProcessLaunch") -> None:
        """The result of a launch was taken."""
        self._launches.remove(launch)

    def _deal(self) -> None:
        for launch in self._launches:
            while launch.waiting and min(self._dealt) < _AHEAD:
                worker = self._dealt.index(min(self._dealt))
                self._dealt[worker] += 1
                launch.send(self._pool, worker, self._answered)

    def _answered(self, worker: int) -> None:
        self._dealt[worker] -= 1


class ProcessLaunch(SearchLaunch):
    """A search whose batches are dealt one by one.

    waiting : the batches that no process has yet
    """

    def __init__(
        self,
        search: ProcessSearch,
        batches: list[SearchBatch],
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._search = search
        self._cancelled = cancelled
        self._under_way: set[int] = set()
        self._found: list[FoundAnnouncements] = []
        self._error: PacketCryptError | None = None
        self.waiting = deque(batches)

    def result(self) -> FoundAnnouncements:
        """See `SearchLaunch.result`."""
        try:
            while self.waiting or self._under_way:
                self._search.wait()
        finally:
            self._search.taken(self)
        if self._error is not None:
            raise self._error
        return joined(self._found)

    def send(self, pool: ProcessPool, worker: int, answered: Callable[[int], None]) -> None:
        """Have a process search the next batch; `answered` is told its number in the end."""

        def take(answer: Answer) -> None:
            answered(worker)
            if answer.number not in self._under_way:
                return  # nobody waits for it any more
            self._under_way.remove(answer.number)
            if answer.error is not None:
                self._error = answer.error
                self.waiting.clear()
            elif isinstance(answer.result, FoundAnnouncements):
                self._found.append(answer.result)

        self._under_way.add(pool.send(worker, self.waiting.popleft(), take))

    def poll(self, cancel: Callable[[int], None]) -> None:
        """Give the search up if nobody wants it any more.

        The answers are not waited for: a process that makes a table gives them after it.
        """
        if self._cancelled is None or not self._cancelled():
            return
        self._cancelled = None
        self.waiting.clear()
        for number in self._under_way:
            cancel(number)
        self._under_way.clear()
