"""Targets, work and difficulty against difficulty.json, and their own laws."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.protocol import difficulty

VECTORS = load_vectors("difficulty")


def _number(text: str) -> int:
    return int(text, 16)


@pytest.mark.parametrize("case", VECTORS["compact"], ids=lambda c: c["compact"])
def test_compact(case: dict[str, Any]) -> None:
    compact = _number(case["compact"])
    assert difficulty.compact_to_target(compact) == _number(case["target"])
    assert difficulty.work_of_compact(compact) == int(case["work"])


@pytest.mark.parametrize("case", VECTORS["effective_target"])
def test_effective_target(case: dict[str, Any]) -> None:
    block, ann = _number(case["block_target"]), _number(case["ann_target"])
    effective = difficulty.effective_target(block, ann, case["ann_count"])
    assert f"{effective:08x}" == case["effective"]


@pytest.mark.parametrize("case", VECTORS["degrade"])
def test_degrade(case: dict[str, Any]) -> None:
    degraded = difficulty.degrade(_number(case["ann_target"]), case["age"])
    assert f"{degraded:08x}" == case["degraded"]


@pytest.mark.parametrize("case", VECTORS["hashrate_multiplier"])
def test_hashrate_multiplier(case: dict[str, Any]) -> None:
    ann = _number(case["ann_target"])
    assert difficulty.hashrate_multiplier(ann, case["ann_count"]) == case["multiplier"]


@pytest.mark.parametrize(("compact", "ok"), VECTORS["min_ann_target_ok"])
def test_min_ann_target_ok(compact: str, ok: bool) -> None:
    assert difficulty.min_ann_target_ok(_number(compact)) == ok


@pytest.mark.parametrize(("compact", "most"), VECTORS["soft_nonce_max"])
def test_soft_nonce_max(compact: str, most: int) -> None:
    assert difficulty.soft_nonce_max(_number(compact)) == most


@pytest.mark.parametrize(
    ("top_bytes", "compact", "meets"),
    [
        # hash bytes 31, 30, 29, 28: for exponent 0x20 the three bytes compared are 31..29
        ("00000000", 0x2001FFFF, True),
        ("01fffe00", 0x2001FFFF, True),
        ("01ffff00", 0x2001FFFF, False),
        ("02000000", 0x2001FFFF, False),
        ("000fffff", 0x1F0FFFFF, False),
        ("000ffffe", 0x1F0FFFFF, True),
        ("01000000", 0x1F0FFFFF, False),
        ("00000000", 0x20800000, False),
        ("00000000", 0x21000001, False),
    ],
)
def test_meets_compares_three_bytes(top_bytes: str, compact: int, meets: bool) -> None:
    hash32 = bytes(28) + bytes.fromhex(top_bytes)[::-1]
    assert difficulty.meets(hash32, compact) is meets


@given(st.integers(3, 0x20), st.integers(1, 0x7FFFFF), st.binary(min_size=32, max_size=32))
def test_meets_is_below_the_target_up_to_truncation(z: int, mantissa: int, hash32: bytes) -> None:
    compact = z << 24 | mantissa
    if compact > difficulty.MAX_COMPACT:
        return
    shift = 8 * (z - 3)
    number = int.from_bytes(hash32, "little")
    below = number >> shift < difficulty.compact_to_target(compact) >> shift
    assert difficulty.meets(hash32, compact) == below


@given(st.integers(0, (1 << 256) - 1))
def test_compact_truncates_and_never_exceeds_the_target(target: int) -> None:
    back = difficulty.compact_to_target(difficulty.target_to_compact(target))
    assert back <= target
    assert target - back < max(1, target >> 15)


@given(st.integers(0x8000, 0x7FFFFF), st.integers(4, 0x20))
def test_canonical_compacts_round_trip(mantissa: int, exponent: int) -> None:
    compact = exponent << 24 | mantissa
    assert difficulty.target_to_compact(difficulty.compact_to_target(compact)) == compact


@given(st.integers(1, (1 << 256) - 1))
def test_work_and_target_are_inverse_to_each_other(work: int) -> None:
    target = difficulty.target_of_work(work)
    assert difficulty.work_of_target(target) >= work
    assert difficulty.work_of_target(target + 1) <= work


def test_work_at_the_ends() -> None:
    assert difficulty.target_of_work(0) == 1 << 256
    assert difficulty.target_of_work(1 << 256) == 0
