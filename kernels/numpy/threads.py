"""Which threads the NumPy backends compute on, each with a workspace of its own."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from packetcrypt.kernels.host_cores import usable_cores
from packetcrypt.kernels.numpy.search import SearchCancelled
from packetcrypt.kernels.numpy.tables import Task
from packetcrypt.kernels.numpy.workspace import BATCH, Workspace
from packetcrypt.protocol.errors import ConfigError

_LEAST_BATCH = 256

Found = TypeVar("Found")


class Threads:
    """`count` threads (default: one for each core we may use), driven by one other thread."""

    def __init__(self, count: int | None = None) -> None:
        if count is not None and count < 1:
            raise ConfigError(f"{count} threads cannot compute anything: give at least 1")
        self.count = count or usable_cores()
        self._cancelled: Callable[[], bool] | None = None
        self._workspaces: SimpleQueue[Workspace] = SimpleQueue()
        for _ in range(self.count):
            self._workspaces.put(Workspace(self._checkpoint))
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
        batches = deque(_batches(first, count, self.count))
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
        workspace = self._workspaces.get()
        try:
            task(workspace)
        finally:
            self._workspaces.put(workspace)


def _batches(first: int, count: int, threads: int) -> list[tuple[int, int]]:
    """Split a range of nonces so that all threads have equal shares of it."""
    rounds = -(-count // (BATCH * threads))
    size = max(_LEAST_BATCH, -(-count // max(1, rounds * threads)))
    return [
        (start, min(size, first + count - start)) for start in range(first, first + count, size)
    ]
