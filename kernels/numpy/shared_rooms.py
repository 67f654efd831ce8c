"""Where several processes read and write the tables and Merkle trees of jobs together."""

import mmap
import os
import tempfile

import numpy as np

from packetcrypt.kernels.numpy.merkle import HASH_WORDS, NODES, MerkleTree
from packetcrypt.kernels.numpy.tables import ITEM_WORDS, JobRoom
from packetcrypt.protocol.announcement import TABLE_SIZE

_TABLE_WORDS = TABLE_SIZE * ITEM_WORDS
_ROOM_WORDS = _TABLE_WORDS + (NODES + 1) * HASH_WORDS  # a spare node: rooms begin at whole pages


class SharedRooms:
    """Rooms for `count` jobs, 9 MiB each, in a file that nobody else can find.

    file  : its descriptor, for the processes to inherit; ours to `close`
    rooms : stay when the file is closed
    """

    def __init__(self, count: int, file: int | None = None) -> None:
        """file : of the `SharedRooms` of another process; None makes a new one"""
        size = 8 * _ROOM_WORDS * count
        if file is None:
            file = _nameless_file()
            os.ftruncate(file, size)
        self.file = file
        # The mapping lives as long as the arrays in it.
        words = np.frombuffer(mmap.mmap(file, size), np.uint64).reshape(count, _ROOM_WORDS)
        self.rooms = tuple(
            JobRoom(
                table=room[:_TABLE_WORDS].reshape(TABLE_SIZE, ITEM_WORDS),
                tree=MerkleTree(room[_TABLE_WORDS:-HASH_WORDS].reshape(NODES, HASH_WORDS)),
            )
            for room in words
        )

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


def _nameless_file() -> int:
    """A file without a name: it goes away with the last process that has it open or mapped."""
    if hasattr(os, "memfd_create"):  # Linux
        return os.memfd_create("packetcrypt-tables")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
