"""The handler with the engine's own checker, opened from its settings."""

from pathlib import Path

from handler_announcements import KNOWN_JOBS
from handler_setup import loopback
from vector_files import load_vectors

from packetcrypt.engine import AnnouncementChecker


async def test_good_and_bad_announcements_of_several_parents(tmp_path: Path) -> None:
    corrupted = [
        bytes.fromhex(case["ann"])
        for case in load_vectors("ann_check")
        if case["result"] != "OK" and case["name"] != "wrong parent hash"
    ]
    with AnnouncementChecker("auto", threads=1) as checker:
        async with loopback(tmp_path, checker) as pool:
            bad = await pool.post(KNOWN_JOBS[0], *corrupted)
            good = [await pool.post(job, *job.announcements) for job in KNOWN_JOBS]
            again = [await pool.post(job, *job.announcements) for job in KNOWN_JOBS]

    assert bad.counts == (0, 0, len(corrupted), 0)
    assert [reply.counts for reply in good] == [(3, 0, 0, 0)] * 4
    assert [reply.counts for reply in again] == [(0, 3, 0, 0)] * 4
