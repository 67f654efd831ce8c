#!/usr/bin/env python3
"""How long a change of the set takes: choosing it, sorting, the proof tree, loading, a new header.

The announcements are only imagined: random hashes in sorted runs, as batches leave them, over a
store whose memory nobody touches. Prints the medians of the rounds as one JSON object; cpu_ms is
processor time, which other programs on the machine disturb less than the wall clock.
"""

import argparse
import json
import time
from contextlib import closing
from statistics import median

import numpy as np

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_set import MinedSet
from packetcrypt.engine.block_store import AnnouncementStore
from packetcrypt.engine.block_tree import build_tree
from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.key_index import KeyIndex, KeyRows
from packetcrypt.engine.opening import open_block_kernels
from packetcrypt.kernels.announcement_store import allocate_store
from packetcrypt.kernels.block_interface import BlockKernels
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.commitment import PLACEHOLDER
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.set_selection import best_set
from packetcrypt.protocol.work_file import BlockWork

_HEIGHT = 1_000_010
_PARENTS = 4
"""blocks that announcements are for: half of them are for the youngest, a quarter for the next …"""
_RUNS = 3
"""sorted runs of a class"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--announcements", type=int, default=1_000_000)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    (device,) = select_devices(arguments.device)
    memory = allocate_store(arguments.announcements)
    with closing(open_block_kernels(device, memory, arguments.threads)) as kernels:
        rounds = []
        for seed in range(arguments.rounds + 1):  # the first warms up
            store = imagined_store(memory, arguments.announcements, seed)
            cpu_began = time.process_time()
            laps = change_set(store, kernels)
            laps["cpu"] = 1000 * (time.process_time() - cpu_began)
            rounds.append(laps)
    phases = {name: median(each[name] for each in rounds[1:]) for name in rounds[0]}
    cpu_ms = phases.pop("cpu")
    result = {
        "device": device.name,
        "announcements": arguments.announcements,
        "ms": round(sum(phases.values()), 1),
        "cpu_ms": round(cpu_ms, 1),
        "phases_ms": {name: round(value, 1) for name, value in phases.items()},
    }
    print(json.dumps(result))


def imagined_store(memory: np.ndarray, count: int, seed: int) -> AnnouncementStore:
    store = AnnouncementStore(memory, count)
    rng = np.random.default_rng(seed)
    store._hashes[:] = rng.integers(1, 2**64 - 1, (count, 4), np.uint64)
    first = 0
    for number in range(_PARENTS):
        end = count if number == _PARENTS - 1 else first + (count - first) // 2
        index = KeyIndex()
        for rows in np.array_split(np.arange(first, end, dtype=np.uint32), _RUNS):
            keys, chosen = np.unique(store._hashes[rows, 0], return_index=True)
            index._runs.append(KeyRows(keys, rows[chosen]))
        store._classes[_HEIGHT - 3 - number, 0x1F0FFFFF] = index
        first = end
    return store


def change_set(store: AnnouncementStore, kernels: BlockKernels) -> dict[str, float]:
    """Milliseconds of each phase."""
    watch = Stopwatch()
    selected = best_set(store.classes(), _HEIGHT)
    assert selected is not None
    watch.lap("choose")
    pinned = store.pin(selected.classes)
    watch.lap("sort")
    steps = build_tree(store, pinned, kernels)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            tree = finished.value
            break
    watch.lap("tree")
    mined = MinedSet(selected.classes, pinned, tree, "")
    kernels.load_set(pinned.rows, 0)
    watch.lap("load")
    candidate = BlockCandidate.of(work(), mined)
    assert candidate is not None
    h32(candidate.header(1))
    watch.lap("header")
    return watch.laps


class Stopwatch:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = 1000 * (now - self._last)
        self._last = now


def work() -> BlockWork:
    header = BlockHeader(
        version=4, previous_hash=bytes(32), merkle_root=bytes(32), time=0, bits=0x1C00FFFF, nonce=0
    )
    return BlockWork(
        header=header,
        signing_key=bytes(32),
        share_target=0x1D00FFFF,
        ann_target=0x207FFFFF,
        height=_HEIGHT,
        coinbase_no_witness=bytes(200) + PLACEHOLDER + bytes(100),
        merkle_branch=tuple(bytes([level]) * 32 for level in range(12)),
    )


if __name__ == "__main__":
    main()
