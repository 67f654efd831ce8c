"""How targets, work and difficulty relate (spec 1 §1).

A *target* is an integer below 2^256 that a hash must stay under; a *compact target* is Bitcoin's
32-bit form of it ("work bits" in an announcement); *work* is the expected number of hashes. All
arithmetic is on unlimited integers and every division floors.
"""

MAX_COMPACT = 0x207FFFFF
"""The easiest useful compact target."""

UNUSABLE = 0xFFFFFFFF
"""What `degrade` gives for an announcement that cannot be mined with (any more)."""

_TWO_256 = 1 << 256
_SIGN_BIT = 0x800000


def compact_to_target(compact: int) -> int:
    """The target of a compact target; 0 if its sign bit is set, which makes it invalid."""
    exponent, mantissa = compact >> 24, compact & 0x7FFFFF
    if compact & _SIGN_BIT:
        return 0
    if exponent < 3:
        return mantissa >> (8 * (3 - exponent))
    return mantissa << (8 * (exponent - 3))


def target_to_compact(target: int) -> int:
    """The compact form of a target, truncated to its top bytes."""
    exponent = (target.bit_length() + 7) // 8
    mantissa = target << (8 * (3 - exponent)) if exponent < 3 else target >> (8 * (exponent - 3))
    if mantissa & _SIGN_BIT:
        mantissa >>= 8
        exponent += 1
    return exponent << 24 | mantissa


def work_of_target(target: int) -> int:
    """Expected number of hashes to meet a target."""
    return _TWO_256 // (target + 1)


def target_of_work(work: int) -> int:
    """Inverse of `work_of_target`; work 0 gives 2^256, work of more than 256 bits gives 0."""
    if work == 0:
        return _TWO_256
    if work >= _TWO_256:
        return 0
    return (_TWO_256 - work) // work


def work_of_compact(compact: int) -> int:
    """Expected number of hashes to meet a compact target."""
    return work_of_target(compact_to_target(compact))


def meets(hash32: bytes | bytearray, compact: int) -> bool:
    """Whether a 32-byte hash (little-endian number) is below a compact target.

    The original compares three bytes only: all bytes above them must be zero and they, as a number,
    strictly below the mantissa.
    """
    z, mantissa = compact >> 24, compact & 0xFFFFFF
    if compact > MAX_COMPACT or mantissa > 0x7FFFFF:
        return False
    if any(hash32[z:32]):
        return False
    top = (
        hash32[z - 1] << 16 | hash32[z - 2] << 8 | hash32[z - 3] if z >= 3 else _low_top(hash32, z)
    )
    return top < mantissa


def _low_top(hash32: bytes | bytearray, z: int) -> int:
    """The three bytes below z where fewer than three exist: the missing ones count as zero."""
    return sum(hash32[z - 1 - i] << (16 - 8 * i) for i in range(z))


def min_ann_target_ok(compact: int) -> bool:
    """Whether a compact target may stand in an announcement or a commitment."""
    if not 0 < compact <= MAX_COMPACT or compact & _SIGN_BIT:
        return False
    target = compact_to_target(compact)
    return target != 0 and 0 < work_of_target(target) < _TWO_256


def soft_nonce_max(compact: int) -> int:
    """The largest soft nonce that validators accept for an announcement with these work bits.

    Only for work bits that pass `min_ann_target_ok`.
    """
    exponent, mantissa = compact >> 24, compact & 0x7FFFFF
    bits = 22 - (mantissa.bit_length() - 1) + (0x20 - exponent) * 8 + 10
    return 0xFFFFFF if bits >= 24 else 0xFFFFFF >> (24 - bits)


def effective_target(block: int, ann: int, count: int) -> int:
    """The compact target that `count` announcements of compact target `ann` give a block.

    block : the block's (or share's) compact target; ann : the largest compact target of the set
    """
    ann_work = work_of_compact(ann)
    if ann_work == 0 or count == 0:
        work = _TWO_256
    else:
        work = (work_of_compact(block) ** 3 >> 10) // ann_work // count**2
    return min(MAX_COMPACT, target_to_compact(target_of_work(work)))


def degrade(ann: int, age: int) -> int:
    """The compact target of an announcement that is `age` blocks old, or `UNUSABLE`.

    age : height of the block being mined − parent block height of the announcement
    """
    if age < 3 or age > 259:
        return UNUSABLE
    if age == 3:
        return ann
    target = compact_to_target(ann) << (age - 3)
    if target >= _TWO_256:
        return UNUSABLE
    compact = target_to_compact(target)
    return UNUSABLE if compact > MAX_COMPACT else compact


def hashrate_multiplier(ann: int, count: int) -> int:
    """The power multiplier of a set: least effective difficulty × count² / 1024, at most 2^64−1."""
    return min(work_of_compact(ann) * count**2 >> 10, (1 << 64) - 1)
