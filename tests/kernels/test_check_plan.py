"""What is decided about announcements without a device, against protocol/."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.kernels.check_plan import meet_targets, needed_items, plan_checks
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.difficulty import meets, min_ann_target_ok
from packetcrypt.protocol.validation import AnnouncementCheck, structural_check

VALID = load_vectors("ann_check")[0]
ANNOUNCEMENT = np.frombuffer(bytes.fromhex(VALID["ann"]), np.uint8)
PARENT = np.frombuffer(bytes.fromhex(VALID["parent_block_hash"]), np.uint8)

#: Compact targets around every edge of the rules.
WORK_BITS = st.one_of(
    st.integers(0, 0xFFFFFFFF),
    st.builds(
        lambda exponent, mantissa: exponent << 24 | mantissa,
        st.integers(0, 0x21),
        st.sampled_from([0, 1, 0xFF, 0x100, 0xFFFF, 0x10000, 0x7FFFFF, 0x800000, 0xFFFFFF]),
    ),
)


@given(
    st.lists(
        st.builds(
            AnnouncementHeader,
            hard_nonce=st.just(0),
            parent_height=st.just(0),
            version=st.sampled_from([0, 1, 1, 1, 2]),
            work_bits=WORK_BITS,
            soft_nonce=st.integers(0, 0xFFFFFF),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_structural_results(headers: list[AnnouncementHeader]) -> None:
    announcements = np.zeros((len(headers), 1024), np.uint8)
    for row, header in zip(announcements, headers, strict=True):
        row[:88] = np.frombuffer(header.encode(), np.uint8)
    plan = plan_checks(announcements, np.zeros((len(headers), 32), np.uint8))
    assert plan.results.tolist() == [structural_check(header) for header in headers]
    assert plan.soft_nonces.tolist() == [header.soft_nonce for header in headers]


@st.composite
def hashes_near_targets(draw: st.DrawFn) -> tuple[bytes, int]:
    """A hash as long as its target, sometimes equal to it or one byte longer."""
    exponent, mantissa = draw(st.integers(1, 0x20)), draw(st.integers(0x10000, 0x7FFFFF))
    bits = exponent << 24 | mantissa
    assert min_ann_target_ok(bits)
    length = min(32, exponent + draw(st.integers(0, 1)))
    number = bytearray(draw(st.binary(min_size=length, max_size=length)) + bytes(32 - length))
    if draw(st.booleans()):
        top = mantissa.to_bytes(3, "little")[-min(3, exponent) :]
        number[max(0, exponent - 3) : exponent] = top
    return bytes(number), bits


@given(st.lists(hashes_near_targets(), min_size=1, max_size=20))
def test_meeting_targets(cases: list[tuple[bytes, int]]) -> None:
    hashes = np.array([list(number) for number, _ in cases], np.uint8)
    bits = np.array([bits for _, bits in cases], np.uint32)
    assert meet_targets(hashes, bits).tolist() == [meets(*case) for case in cases]


@pytest.mark.parametrize(
    ("byte", "of_parent", "shared"),
    [
        (1, False, True),  # soft nonce
        (88, False, True),  # Merkle siblings
        (1023, False, True),  # item prefix
        (4, False, False),  # hard nonce
        (24, False, False),  # content hash
        (920, False, False),  # root
        (31, True, False),  # parent block hash
    ],
)
def test_what_makes_a_group(byte: int, of_parent: bool, shared: bool) -> None:
    announcements, parents = np.stack([ANNOUNCEMENT] * 3), np.stack([PARENT] * 3)
    (parents if of_parent else announcements)[1, byte] ^= 1
    groups = plan_checks(announcements, parents).groups
    members = sorted(group.members.tolist() for group in groups)
    assert members == ([[0, 1, 2]] if shared else [[0, 2], [1]])


def test_seeds_of_a_group() -> None:
    (group,) = plan_checks(ANNOUNCEMENT[None], PARENT[None]).groups
    header = AnnouncementHeader.decode(ANNOUNCEMENT.tobytes()).with_soft_nonce(0)
    job, root = AnnouncementJob(header, PARENT.tobytes()), ANNOUNCEMENT[920:984].tobytes()
    assert group.table0 == job.table0_seeds()
    assert group.table1 == job.table1_seeds(root)
    assert group.search_seed == job.search_seed(root)


def test_what_fails_at_once_is_in_no_group() -> None:
    announcements, parents = np.stack([ANNOUNCEMENT] * 2), np.stack([PARENT] * 2)
    announcements[0, 0] = 0
    plan = plan_checks(announcements, parents)
    assert plan.results.tolist() == [AnnouncementCheck.BAD_VERSION, AnnouncementCheck.OK]
    assert [group.members.tolist() for group in plan.groups] == [[1]]


def test_nothing_to_check() -> None:
    plan = plan_checks(np.zeros((0, 1024), np.uint8), np.zeros((0, 32), np.uint8))
    assert len(plan.results) == 0
    assert plan.groups == []


def test_needed_items_are_distinct_and_ordered() -> None:
    groups = np.array([1, 0, 1, 1, 0], np.int64)
    numbers = np.array([7, 8191, 3, 7, 7], np.uint64)
    needed = needed_items(groups, numbers)
    assert needed.groups.tolist() == [0, 0, 1, 1]
    assert needed.numbers.tolist() == [7, 8191, 3, 7]
    assert needed.inverse.tolist() == [3, 1, 2, 3, 0]
