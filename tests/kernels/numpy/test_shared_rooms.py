"""Rooms of one file are the same memory."""

import os

import numpy as np

from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.shared_rooms import SharedRooms


def test_what_one_writes_the_other_reads() -> None:
    ours = SharedRooms(2)
    theirs = SharedRooms(2, os.dup(ours.file))
    ours.rooms[0].table[8191, 127] = 5
    ours.rooms[1].table[0, 0] = 6
    theirs.rooms[1].tree.leaf_hashes[:] = 7
    ours.rooms[1].tree.build(Blake2b(1024))

    assert theirs.rooms[0].table[8191, 127] == 5
    assert theirs.rooms[1].table[0, 0] == 6
    assert theirs.rooms[1].tree.root == ours.rooms[1].tree.root != bytes(64)
    assert not theirs.rooms[0].tree.leaf_hashes.any()


def test_the_memory_outlives_the_file() -> None:
    shared = SharedRooms(1)
    shared.close()
    shared.close()
    shared.rooms[0].table[:] = 9
    assert (shared.rooms[0].table == np.uint64(9)).all()
