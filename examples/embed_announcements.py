"""Mine a few announcements in a program of one's own, and check them.

    python examples/embed_announcements.py [device]

The device is auto (the default), cpu, gpu, numpy, or part of a name (see packetcrypt devices).
"""

import sys

import numpy as np

from packetcrypt.engine import AnnouncementChecker, AnnouncementEngine, AnnouncementWork
from packetcrypt.protocol.validation import AnnouncementCheck

WANTED = 500


def main(device: str) -> None:
    # In a miner these come from the pool: the parent block, its height, how hard to work.
    work = AnnouncementWork(
        parent_hash=bytes.fromhex("11" * 32),  # internal byte order, not the one that is displayed
        parent_height=1_000_000,
        work_bits=0x207FFFFF,  # the easiest there is: every other hash is an announcement
    )

    mined = []
    with AnnouncementEngine(devices=device) as engine:
        print("devices:", *engine.devices, sep="\n  ")
        engine.start(work)  # returns at once; start again with other work at any time
        for batch in engine.batches():
            mined.append(batch.announcements)  # (n, 1024) uint8; batch.keys: (n,) uint64
            print(f"{len(batch)} announcements from device {batch.device}")
            if sum(map(len, mined)) >= WANTED:
                break
        statistics = engine.statistics()

    announcements = np.concatenate(mined)[:WANTED]
    with AnnouncementChecker(devices=device) as checker:
        verdicts = checker.check(announcements, work.parent_hash).results

    good = np.count_nonzero(verdicts == AnnouncementCheck.OK)
    print(f"{statistics.nonces} nonces searched")
    print(f"{good} of {len(announcements)} announcements are good")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "auto")
