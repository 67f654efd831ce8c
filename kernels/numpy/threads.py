"""Which threads the NumPy block kernels compute on, each with a workspace of its own."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from packetcrypt.kernels.host_cores import usable_cores
from packetcrypt.kernels.numpy.batches import cut
from packetcrypt.kernels.numpy.search import SearchCancelled
from packetcrypt.kernels.numpy.workspace import BATCH, Task, Workspace
from packetcrypt.protocol.errors import ConfigError

Found = TypeVar("Found")


class Threads:
    """`count` threads (default: one for each core we may use), driven by one other thread.

    batch : most nonces that one of them searches together
    """

    def __init__(self, count: int | None = None, batch: int = BATCH) -> None:
        self.count = thread_count(count)
        self._cancelled: Callable[[], bool] | None = None
        self.batch = batch
        self.workspaces = tuple(Workspace(self._checkpoint, batch) for _ in range(self.count))
        self._free: SimpleQueue[Workspace] = SimpleQueue()
        for workspace in self.workspaces:
            self._free.put(workspace)
        self._executor = ThreadPoolExecutor(self.count, "packetcrypt-numpy")

    def run(self, tasks: Iterable[Task]) -> None:
        """Run tasks on the threads; when all have ended, raise what one of them raised."""
        futures = [self._executor.submit(self._with_workspace, task) for task in tasks]
        failures = [future.exception() for future in futures]
        for failure in failures:
            if failure is not None:
                raise failure

    def search(
        self,
        first: int,
        count: int,
        search_batch: Callable[[Workspace, int, int], Found],
        cancelled: Callable[[], bool] | None,
    ) -> list[Found]:
        """What `search_batch(workspace, first, count)` found in the batches of a range of nonces.

        Batches end in any order. Once `cancelled`, polled from the threads every few milliseconds,
        is true, those under way are given up.
        """
        batches = deque(cut(first, count, self.count, self.batch))
        found: list[Found] = []

        def work(workspace: Workspace) -> None:
            while True:
                try:
                    batch = batches.popleft()
                except IndexError:  # none is left
                    return
                try:
                    found.append(search_batch(workspace, *batch))
                except SearchCancelled:
                    return

        self._cancelled = cancelled
        try:
            self.run([work] * self.count)
        finally:
            self._cancelled = None
        return found

    def close(self) -> None:
        """End the threads. Idempotent."""
        self._executor.shutdown()

    def _checkpoint(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise SearchCancelled

    def _with_workspace(self, task: Task) -> None:
        workspace = self._free.get()
        try:
            task(workspace)
        finally:
            self._free.put(workspace)


def thread_count(threads: int | None) -> int:
    """How many threads are meant; None: one for each core we may use."""
    if threads is not None and threads < 1:
        raise ConfigError(f"{threads} threads cannot compute anything: give at least 1")
    return threads or usable_cores()
