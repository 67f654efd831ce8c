"""The handler with the engine's own checker, opened from its settings."""

from functools import partial
from pathlib import Path

import pytest
from handler_announcements import KNOWN_JOBS
from handler_setup import handler_settings, loopback
from vector_files import load_vectors

from packetcrypt.engine import AnnouncementChecker, DeviceInfo
from packetcrypt.handler import service
from packetcrypt.handler.service import running_ann_handler
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.errors import DeviceError


async def test_without_a_device_that_can_check_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        raise DeviceError("check.cl does not compile")

    monkeypatch.setattr(service, "AnnouncementChecker", partial(AnnouncementChecker, opener=opener))

    settings = handler_settings(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(DeviceError, match="does not compile"):
        async with running_ann_handler(settings):
            pytest.fail("it took posts")


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
