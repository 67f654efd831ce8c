"""Validation of announcements in OpenCL against ann_check.json and protocol/validation.py."""

import numpy as np
import numpy.typing as npt
import pytest
from opencl_tables import load_tables
from randhash_assembly import branch, load_input, loop, memory, program
from vector_files import load_vectors

from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.kernels.opencl.check import AnnouncementChecks
from packetcrypt.kernels.opencl.check_items import TableItems
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.randhash import RandHash
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.opcodes import Opcode
from packetcrypt.protocol.validation import AnnouncementCheck, check_announcement

Bytes = npt.NDArray[np.uint8]

CASES = load_vectors("ann_check")
JOBS = load_vectors("ann_jobs")["jobs"]


def array(encoded: list[str]) -> Bytes:
    return np.array([list(bytes.fromhex(row)) for row in encoded], np.uint8)


CASE_ANNOUNCEMENTS = array([case["ann"] for case in CASES])
CASE_PARENTS = array([case["parent_block_hash"] for case in CASES])
#: The first announcements of every known job, with their parents.
MINED = array([known["bytes"] for job in JOBS for known in job["anns"]])
MINED_PARENTS = array([job["parent_block_hash"] for job in JOBS for _ in job["anns"]])


@pytest.fixture(scope="module")
def checks(context: DeviceContext) -> AnnouncementChecks:
    return AnnouncementChecks(context, RandHash(context))


@pytest.fixture(scope="module")
def checked_cases(checks: AnnouncementChecks) -> CheckedAnnouncements:
    return checks.check(CASE_ANNOUNCEMENTS, CASE_PARENTS)


def assert_like_protocol(checks: AnnouncementChecks, announcements: Bytes, parents: Bytes) -> None:
    checked = checks.check(announcements, parents)
    plain = [
        check_announcement(announcement.tobytes(), parent.tobytes())
        for announcement, parent in zip(announcements, parents, strict=True)
    ]
    assert checked.results.tolist() == [verdict.result for verdict in plain]
    hashes = [verdict.work_hash or bytes(32) for verdict in plain]
    assert [row.tobytes() for row in checked.work_hashes] == hashes
    assert checked.keys.tolist() == [dedup_key(row.tobytes()) for row in announcements]


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["name"] for case in CASES])
def test_known_verdicts(checked_cases: CheckedAnnouncements, index: int) -> None:
    verdict = AnnouncementCheck(int(checked_cases.results[index]))
    assert verdict is AnnouncementCheck[CASES[index]["result"]]


def test_known_cases_are_like_protocol_in_everything(checks: AnnouncementChecks) -> None:
    assert_like_protocol(checks, CASE_ANNOUNCEMENTS, CASE_PARENTS)


def test_announcements_of_several_jobs_mixed_with_bad_ones(checks: AnnouncementChecks) -> None:
    generator = np.random.default_rng(4)
    announcements = np.concatenate([MINED, MINED])
    parents = np.concatenate([MINED_PARENTS, MINED_PARENTS])
    spoiled = np.arange(len(MINED), 2 * len(MINED))
    announcements[spoiled, generator.integers(0, 1024, len(spoiled))] ^= 1
    order = generator.permutation(len(announcements))
    assert_like_protocol(checks, announcements[order], parents[order])


@pytest.mark.parametrize("byte", [0, 1, 4, 8, 12, 16, 20, 24, 56, 88, 919, 920, 983, 984, 1023])
def test_a_changed_byte_in_every_field(checks: AnnouncementChecks, byte: int) -> None:
    announcement = MINED[:1].copy()
    announcement[0, byte] ^= 0x40
    assert_like_protocol(checks, announcement, MINED_PARENTS[:1])


def test_more_announcements_than_fit_the_device_at_a_time(checks: AnnouncementChecks) -> None:
    copies = 2100
    announcements = np.repeat(MINED[:1], copies, axis=0)
    announcements[2050:, 1023] ^= 1
    checked = checks.check(announcements, np.repeat(MINED_PARENTS[:1], copies, axis=0))
    assert (checked.results[:2050] == AnnouncementCheck.OK).all()
    assert (checked.results[2050:] == AnnouncementCheck.INVAL_ITEM4).all()
    assert (checked.keys == [*[checked.keys[0]] * 2050, *[checked.keys[-1]] * 50]).all()


def test_nothing_to_check(checks: AnnouncementChecks) -> None:
    checked = checks.check(np.zeros((0, 1024), np.uint8), np.zeros((0, 32), np.uint8))
    assert checked.results.shape == (0,)
    assert checked.work_hashes.shape == (0, 32)
    assert checked.keys.shape == (0,)


def test_nothing_well_formed_to_check(checks: AnnouncementChecks) -> None:
    announcements = np.zeros((3, 1024), np.uint8)
    assert_like_protocol(checks, announcements, np.zeros((3, 32), np.uint8))


def test_programs_that_are_too_big_are_inval_without_a_work_hash(context: DeviceContext) -> None:
    """Of the known jobs the third has short programs, 24 and 165 instructions."""
    checks = AnnouncementChecks(context, RandHash(context, max_instructions=170))
    checked = checks.check(MINED, MINED_PARENTS)
    of_third = np.repeat([job is JOBS[2] for job in JOBS], [len(job["anns"]) for job in JOBS])
    assert (checked.results[of_third] == AnnouncementCheck.OK).all()
    assert checked.work_hashes[of_third].any(axis=1).all()
    assert (checked.results[~of_third] == AnnouncementCheck.INVAL).all()
    assert not checked.work_hashes[~of_third].any()


def test_items_that_run_too_long_are_not_computable(context: DeviceContext) -> None:
    long_arm = [load_input(i) for i in range(6)]
    words = program(loop(2047), memory(0), *branch(Opcode.IF_RANDOM, 1, long_arm, []))
    short = program(loop(1), load_input(0))
    tables = load_tables(context, [(short, bytes(32)), (words, bytes(32))])
    numbers = np.arange(40, dtype=np.uint32)
    made = TableItems(context, RandHash(context), tables).make(numbers.astype(np.intp) % 2, numbers)
    computable = made.computable()
    assert computable[::2].all()
    # register 1 of the first iteration is the window's first word, its lowest bit decides
    assert computable[1::2].any()
    assert not computable[1::2].all()
