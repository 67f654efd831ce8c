"""Verdicts of the batch check against the known answers and protocol/validation.py."""

from collections.abc import Iterator

import numpy as np
import pytest
from vector_files import load_vectors

from packetcrypt.kernels.interface import AnnouncementKernels, CheckedAnnouncements
from packetcrypt.kernels.numpy.backend import NumpyKernels
from packetcrypt.kernels.numpy.process_backend import NumpyProcessKernels
from packetcrypt.kernels.program import DecodedProgram
from packetcrypt.kernels.program_cache import ProgramCache
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.validation import AnnouncementCheck, check_announcement

CASES = load_vectors("ann_check")
VALID = bytes.fromhex(CASES[0]["ann"])
PARENT = bytes.fromhex(CASES[0]["parent_block_hash"])


@pytest.fixture(scope="module", params=[1, 2], ids=["in-process", "two processes"])
def kernels(request: pytest.FixtureRequest) -> Iterator[AnnouncementKernels]:
    opened = (
        NumpyKernels()
        if request.param == 1
        else NumpyProcessKernels(Tuning.for_numpy(request.param))
    )
    yield opened
    opened.close()


def check(
    kernels: AnnouncementKernels, announcements: list[bytes], parents: list[bytes]
) -> CheckedAnnouncements:
    return kernels.check(
        np.frombuffer(b"".join(announcements), np.uint8).reshape(-1, 1024),
        np.frombuffer(b"".join(parents), np.uint8).reshape(-1, 32),
    )


@pytest.fixture(scope="module")
def checked(kernels: AnnouncementKernels) -> CheckedAnnouncements:
    """All cases in one batch: nearly every one is a job of its own."""
    return check(
        kernels,
        [bytes.fromhex(case["ann"]) for case in CASES],
        [bytes.fromhex(case["parent_block_hash"]) for case in CASES],
    )


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_known_verdicts(index: int, checked: CheckedAnnouncements) -> None:
    case = CASES[index]
    announcement, parent = (bytes.fromhex(case[name]) for name in ("ann", "parent_block_hash"))
    expected = check_announcement(announcement, parent)
    assert AnnouncementCheck(checked.results[index]).name == case["result"]
    assert expected.result == checked.results[index]
    assert checked.work_hashes[index].tobytes() == (expected.work_hash or bytes(32))
    assert checked.keys[index] == dedup_key(announcement)


def test_one_announcement(kernels: AnnouncementKernels) -> None:
    checked = check(kernels, [VALID], [PARENT])
    assert checked.results.tolist() == [AnnouncementCheck.OK]


def test_no_announcements(kernels: AnnouncementKernels) -> None:
    checked = check(kernels, [], [])
    assert checked.results.shape == (0,)
    assert checked.work_hashes.shape == (0, 32)
    assert checked.keys.shape == (0,)


def test_nothing_that_needs_hashing(kernels: AnnouncementKernels) -> None:
    checked = check(kernels, [b"\x02" + VALID[1:]] * 3, [PARENT] * 3)
    assert checked.results.tolist() == [AnnouncementCheck.BAD_VERSION] * 3
    assert not checked.work_hashes.any()
    assert set(checked.keys.tolist()) == {dedup_key(b"\x02" + VALID[1:])}


def test_many_of_one_job_with_bad_ones_between(kernels: AnnouncementKernels) -> None:
    job = load_vectors("ann_jobs")["jobs"][0]
    good = [bytes.fromhex(announcement["bytes"]) for announcement in job["anns"]]
    bad_nonce = good[0][:1] + (999).to_bytes(3, "little") + good[0][4:]
    bad_branch = good[1][:100] + bytes([good[1][100] ^ 1]) + good[1][101:]
    announcements = [*good, bad_nonce, *good, bad_branch]
    parents = [bytes.fromhex(job["parent_block_hash"])] * len(announcements)

    checked = check(kernels, announcements, parents)

    ok = [AnnouncementCheck.OK] * len(good)
    assert checked.results.tolist() == [
        *ok,
        AnnouncementCheck.INVAL_ITEM4,
        *ok,
        AnnouncementCheck.INVAL,
    ]
    assert [checked.work_hashes[i].tobytes().hex() for i in range(len(good))] == [
        announcement["work_hash"] for announcement in job["anns"]
    ]


class ProgramsWithout(ProgramCache):
    """Programs of which one is too big: no seed of such a program is known."""

    def __init__(self, too_big: bytes) -> None:
        super().__init__()
        self._too_big = too_big

    def get(self, seed: bytes) -> DecodedProgram | None:
        return None if seed == self._too_big else super().get(seed)


@pytest.mark.parametrize("table", [0, 1])
def test_an_invalid_program_is_inval_without_a_work_hash(table: int) -> None:
    job = AnnouncementJob(AnnouncementHeader.decode(VALID).with_soft_nonce(0), PARENT)
    seeds = job.table1_seeds(VALID[920:984]) if table else job.table0_seeds()
    kernels = NumpyKernels(ProgramsWithout(seeds.program))
    checked = check(kernels, [VALID, b"\x00" + VALID[1:]], [PARENT] * 2)
    assert checked.results.tolist() == [AnnouncementCheck.INVAL, AnnouncementCheck.BAD_VERSION]
    assert not checked.work_hashes.any()
