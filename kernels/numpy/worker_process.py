"""What a worker process of the NumPy backend does: one core's share, order by order.

Started by process_pool.py as

    python -m packetcrypt.kernels.numpy.worker_process CONNECTION MEMORY SLOTS BATCH PARENT

with the descriptors of its end of a socket and of the shared rooms, and its parent's process id. It
ends when the other end of the socket is closed, whoever closed it: the parent, or the system after
the parent was killed.
"""

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator
from multiprocessing.connection import Connection
from queue import PriorityQueue

from packetcrypt.kernels.interface import StageSeconds
from packetcrypt.kernels.numpy.check import check
from packetcrypt.kernels.numpy.search import PreparedTables, SearchCancelled, search
from packetcrypt.kernels.numpy.shared_rooms import SharedRooms
from packetcrypt.kernels.numpy.tables import hash_leaves, make_table
from packetcrypt.kernels.numpy.worker_messages import (
    NO_TIME,
    Answer,
    Cancel,
    CheckShare,
    Command,
    HashLeaves,
    MakeTable,
    Order,
    Result,
    SearchBatch,
)
from packetcrypt.kernels.numpy.workspace import Workspace
from packetcrypt.kernels.program_cache import ProgramCache
from packetcrypt.protocol.errors import DeviceError, PacketCryptError

#: A process that the parent forked may keep the socket open when the parent is gone. So we look.
_PARENT_POLL_S = 1.0


class Worker:
    """Carries out the orders that come through a connection, in the thread that calls `serve`."""

    def __init__(
        self, connection: "Connection[Answer, Order | Cancel]", shared: SharedRooms, batch: int
    ) -> None:
        self._connection = connection
        self._rooms = shared.rooms
        self._orders: PriorityQueue[tuple[bool, int, Command]] = PriorityQueue()
        #: Of every order that is not answered yet: was it cancelled?
        self._cancelled: dict[int, threading.Event] = {}
        self._current = threading.Event()
        self._workspace = Workspace(self._checkpoint, batch)
        self._programs = ProgramCache()

    def listen(self, parent: int) -> None:
        """Take orders, also while one is carried out; end the process when no more can come."""
        try:
            self._take_all(parent)
        except (EOFError, OSError):
            os._exit(0)  # the parent closed the connection, or is gone
        except Exception:  # the thread's outermost edge
            traceback.print_exc()
        os._exit(1)

    def serve(self) -> None:
        """Carry out orders until nobody listens to the answers any more."""
        with contextlib.suppress(OSError):
            self._connection.send(Answer(number=0))
            while True:
                _, number, command = self._orders.get()
                self._connection.send(self._answer(number, command))

    def _take_all(self, parent: int) -> None:
        while True:
            while not self._connection.poll(_PARENT_POLL_S):
                if os.getppid() != parent:
                    return
            message = self._connection.recv()
            if isinstance(message, Order):
                self._cancelled[message.number] = threading.Event()
                prepares = isinstance(message.command, HashLeaves | MakeTable)
                self._orders.put((not prepares, message.number, message.command))
            elif (cancelled := self._cancelled.get(message.number)) is not None:
                cancelled.set()

    def _answer(self, number: int, command: Command) -> Answer:
        self._current = self._cancelled[number]
        result: Result = None
        error: PacketCryptError | None = None
        start = time.perf_counter()
        try:
            self._checkpoint()
            result = self._carry_out(command)
        except SearchCancelled:
            pass
        except PacketCryptError as refusal:
            error = refusal
        except Exception as failure:  # the process's outermost edge
            error = DeviceError(
                f"a worker process of the NumPy device failed: {type(failure).__name__}: {failure}"
            )
            error.add_note(traceback.format_exc())
        del self._cancelled[number]
        return Answer(number, result, error, self._stages(command, time.perf_counter() - start))

    def _carry_out(self, command: Command) -> Result:
        match command:
            case HashLeaves(job, slot, items):
                self._finish(hash_leaves(job, items, self._rooms[slot], self._workspace))
            case MakeTable(job, root, slot, items):
                self._finish(make_table(job, root, items, self._rooms[slot], self._workspace))
            case SearchBatch(job, root, slot, first, count):
                room = self._rooms[slot]
                prepared = PreparedTables(job, root, room.table, room.tree)
                return search(self._workspace, prepared, first, count)
            case CheckShare(announcements, parent_hashes):
                return check(announcements, parent_hashes, self._programs, self._workspace.run)
        return None

    def _finish(self, steps: Generator[None, None, None]) -> None:
        for _ in steps:
            self._checkpoint()

    def _checkpoint(self) -> None:
        if self._current.is_set():
            raise SearchCancelled

    def _stages(self, command: Command, seconds: float) -> StageSeconds:
        finishing = self._workspace.finishing_seconds
        self._workspace.finishing_seconds = 0.0
        match command:
            case HashLeaves() | MakeTable():
                return StageSeconds(seconds, 0, 0)
            case SearchBatch():
                return StageSeconds(0, seconds - finishing, finishing)
            case CheckShare():
                return NO_TIME


def main() -> None:
    """Serve the parent until it is gone."""
    # What Ctrl-C and a service manager's stop mean is for the parent to say. It blocked both when
    # it started us, so that none comes earlier.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    connection, memory, slots, batch, parent = map(int, sys.argv[1:])
    worker = Worker(Connection(connection), SharedRooms(slots, memory), batch)
    threading.Thread(target=worker.listen, args=(parent,), daemon=True).start()
    worker.serve()


if __name__ == "__main__":
    main()
