"""Checks of blocks: blocks.json with its real announcements, then every error and their order.

Where announcements are not the point, small blocks are mined here over announcements that nobody
mined, and a stand-in says whether they are valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any

import pytest
from vector_files import load_vectors

from packetcrypt.protocol.announcement import AnnouncementHeader, announcement_hash, dedup_key
from packetcrypt.protocol.announcement_signature import public_key, sign_announcement
from packetcrypt.protocol.block_check import CheckedBlock, check_block
from packetcrypt.protocol.block_hash import block_work_hash
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_proof import BlockProof
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import meets
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.proof_tree import ProofTree
from packetcrypt.protocol.validation import (
    AnnouncementCheck,
    CheckedAnnouncement,
    check_announcement,
)

EASIEST = 0x207FFFFF
HARDEST = 0x03000001
HEIGHT = 1000
LOW_NONCE = 7
GOOD_PARENT, BAD_PARENT = b"g" * 32, b"b" * 32


# --- known answers, with the real check of announcements

VECTORS = load_vectors("blocks")


def _vector(case: dict[str, Any], **changes: Any) -> CheckedBlock:
    first, second, third, fourth = map(bytes.fromhex, case["anns"])
    arguments: dict[str, Any] = {
        "header": bytes.fromhex(case["header"]),
        "commitment": bytes.fromhex(case["coinbase_commit"]),
        "proof": BlockProof(
            case["nonce2"], (first, second, third, fourth), bytes.fromhex(case["proof"])
        ),
        "height": case["block_height"],
        "share_target": int(case["share_target"], 16),
        "parent_hashes": list(map(bytes.fromhex, case["parent_block_hashes"])),
    }
    return check_block(**arguments | changes)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["work_hash"][:8])
def test_known_blocks(case: dict[str, Any]) -> None:
    checked = _vector(case)
    assert checked.name == case["result"]
    assert checked.is_good
    assert checked.work_hash is not None
    assert checked.work_hash.hex() == case["work_hash"]


def test_a_known_share_is_none_for_a_harder_target() -> None:
    checked = _vector(VECTORS[2], share_target=0x1F0CC00C >> 4)
    assert checked.name == "INSUF_POW"


@pytest.mark.parametrize("number", range(4))
def test_known_announcements_are_checked_for_their_own_parents(number: int) -> None:
    parents = list(map(bytes.fromhex, VECTORS[0]["parent_block_hashes"]))
    parents[number] = bytes(32)
    assert _vector(VECTORS[0], parent_hashes=parents).name == f"ANN_INVALID {number}"


# --- small blocks


@dataclass(frozen=True)
class _Block:
    """What `check_block` takes."""

    header: bytes
    commitment: BlockCommitment
    proof: BlockProof
    height: int = HEIGHT
    share_target: int = EASIEST
    parent_hashes: Sequence[bytes] = (GOOD_PARENT,) * 4
    signatures: Sequence[bytes] | None = None
    magic: bytes = b""

    def check(self) -> CheckedBlock:
        commitment = self.commitment.encode()
        return check_block(
            self.header,
            self.magic + commitment[len(self.magic) :],
            self.proof,
            self.height,
            self.share_target,
            self.parent_hashes,
            self.signatures,
            announcement_check=_stand_in,
        )

    def committing(self, **changes: Any) -> "_Block":
        return replace(self, commitment=replace(self.commitment, **changes))


def _stand_in(announcement: bytes, parent_hash: bytes) -> CheckedAnnouncement:
    is_good = parent_hash == GOOD_PARENT
    return CheckedAnnouncement(AnnouncementCheck.OK if is_good else AnnouncementCheck.INVAL)


def _announcement(
    name: str, age: int = 3, work_bits: int = EASIEST, seed: bytes | None = None
) -> bytes:
    """1024 bytes that say what they are, and are not valid for any parent."""
    header = AnnouncementHeader(
        hard_nonce=0,
        work_bits=work_bits,
        parent_height=HEIGHT - age,
        signing_key=bytes(32) if seed is None else public_key(seed),
    )
    return (header.encode() + name.encode()).ljust(1024, b"\0")


def _mined(wanted: Sequence[bytes], bits: int = HARDEST) -> _Block:
    """A share (and no block, but for easy bits) that draws these four announcements in turn.

    The set is just these. Works by trial of headers, since the first number that a header draws
    does not depend on the low nonce: with k different ones, one header of 2·k⁴ will do.
    """
    members = sorted(set(wanted), key=dedup_key)
    tree = ProofTree([announcement_hash(member) for member in members])
    for nonce in count():
        header = BlockHeader(
            version=1,
            previous_hash=bytes(32),
            merkle_root=bytes(32),
            time=0,
            bits=bits,
            nonce=nonce,
        ).encode()
        mined = block_work_hash(header, LOW_NONCE, lambda number: members[number % len(members)])
        indexes = [number % len(members) for number in mined.item_numbers]
        if meets(mined.work_hash, EASIEST) and [members[i] for i in indexes] == list(wanted):
            break
    first, second, third, fourth = wanted
    return _Block(
        header,
        BlockCommitment(EASIEST, tree.root, tree.count),
        BlockProof(LOW_NONCE, (first, second, third, fourth), tree.prove(indexes)),
    )


A, B = _announcement("a"), _announcement("b")


@cache
def _share() -> _Block:
    return _mined([A, B, B, A])


@cache
def _with_a_young_one(number: int) -> _Block:
    """A share whose announcement `number` is too young."""
    four = [A] * 4
    four[number] = _announcement("young", age=2)
    return _mined(four)


def _with_bad_parent(block: _Block, number: int) -> _Block:
    parents = [GOOD_PARENT] * 4
    parents[number] = BAD_PARENT
    return replace(block, parent_hashes=parents)


def test_a_share() -> None:
    assert _share().check().name == "SHARE_OK"


def test_a_block() -> None:
    assert _mined([A] * 4, bits=EASIEST).check().name == "OK"


# --- each error alone, and two at once

SEED = b"k" * 32
SIGNED = _announcement("signed", seed=SEED)


@cache
def _signed_share() -> _Block:
    signature = sign_announcement(SIGNED, SEED)
    return replace(_mined([A, SIGNED, A, SIGNED]), signatures=(signature, signature))


# What is wrong, in the order in which the check must find it. The low nonce, the header and the
# announcements cannot be changed without mining again, so all faults lie around them.
FAULTS: dict[str, Any] = {
    "ANN_SIG_INVALID 1": lambda block: replace(block, signatures=()),
    "BAD_COINBASE": lambda block: replace(block, magic=b"\x09\xf9\x11\x03"),
    "ANN_INVALID 0": lambda block: _with_bad_parent(block, 0),
    "PCP_INVAL": lambda block: replace(
        block, proof=replace(block.proof, proof=block.proof.proof[:-1])
    ),
    "PCP_MISMATCH": lambda block: block.committing(root=bytes(32)),
    "INSUF_POW": lambda block: replace(block, share_target=HARDEST),
}
PAIRS = [
    (first, second) for number, first in enumerate(FAULTS) for second in list(FAULTS)[number + 1 :]
]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_error(fault: str) -> None:
    checked = FAULTS[fault](_signed_share()).check()
    assert checked.name == fault
    assert not checked.is_good
    assert (checked.work_hash is None) == (fault == "ANN_SIG_INVALID 1")


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_errors_the_first_decides(first: str, second: str) -> None:
    assert FAULTS[first](FAULTS[second](_signed_share())).check().name == first


@pytest.mark.parametrize("number", range(4))
def test_an_announcement_of_insufficient_work(number: int) -> None:
    assert _with_a_young_one(number).check().name == f"ANN_INSUF_POW {number}"


@pytest.mark.parametrize("fault", ["PCP_INVAL", "PCP_MISMATCH", "INSUF_POW"])
def test_announcements_are_looked_at_before_the_proof(fault: str) -> None:
    assert FAULTS[fault](_with_a_young_one(3)).check().name == "ANN_INSUF_POW 3"


def test_the_coinbase_is_looked_at_before_announcements() -> None:
    assert FAULTS["BAD_COINBASE"](_with_a_young_one(0)).check().name == "BAD_COINBASE"


@pytest.mark.parametrize(
    ("young", "invalid", "name"),
    [
        (0, 0, "ANN_INVALID 0"),
        (0, 1, "ANN_INSUF_POW 0"),
        (1, 0, "ANN_INVALID 0"),
        (2, 2, "ANN_INVALID 2"),
        (2, 3, "ANN_INSUF_POW 2"),
        (3, 2, "ANN_INVALID 2"),
    ],
)
def test_announcements_are_looked_at_in_turn(young: int, invalid: int, name: str) -> None:
    assert _with_bad_parent(_with_a_young_one(young), invalid).check().name == name


@pytest.mark.parametrize("target", [0, 0x20800000, 0x21000001, 0x20000000, 0x02000001])
def test_impossible_committed_targets(target: int) -> None:
    assert _share().committing(max_target=target).check().name == "BAD_COINBASE"


@pytest.mark.parametrize("change", ["proof", "count"])
def test_a_proof_for_something_else(change: str) -> None:
    block = _share()
    changed = {
        "proof": replace(block, proof=replace(block.proof, proof=bytes(len(block.proof.proof)))),
        "count": block.committing(count=0),
    }[change]
    assert changed.check().name == "PCP_INVAL"


@pytest.mark.parametrize("difference", [-1, 1])
def test_another_count_is_found_out(difference: int) -> None:
    block = _share()
    checked = block.committing(count=block.commitment.count + difference).check()
    assert checked.name in ("PCP_INVAL", "PCP_MISMATCH")


def test_announcements_that_were_not_drawn() -> None:
    block = _share()
    swapped = replace(block, proof=replace(block.proof, announcements=(B, A, A, B)))
    assert swapped.check().name == "PCP_INVAL"


# --- age and difficulty

OLD = _announcement("old", work_bits=0x1F00FFFF)
PARENT_HEIGHT = HEIGHT - 3


@cache
def _of_old() -> _Block:
    return _mined([OLD] * 4)


@pytest.mark.parametrize(
    ("age", "committed", "name"),
    [
        (-1, EASIEST, "ANN_INSUF_POW 0"),
        (2, EASIEST, "ANN_INSUF_POW 0"),
        (3, 0x1F00FFFE, "ANN_INSUF_POW 0"),
        (3, 0x1F00FFFF, "SHARE_OK"),
        (4, 0x1F00FFFF, "ANN_INSUF_POW 0"),
        (4, 0x1F01FFFD, "ANN_INSUF_POW 0"),
        (4, 0x1F01FFFE, "SHARE_OK"),
        (5, 0x1F01FFFE, "ANN_INSUF_POW 0"),
        (18, EASIEST, "SHARE_OK"),
        (19, EASIEST, "ANN_INSUF_POW 0"),
        (260, EASIEST, "ANN_INSUF_POW 0"),
    ],
)
def test_announcements_grow_old(age: int, committed: int, name: str) -> None:
    block = _of_old().committing(max_target=committed)
    assert replace(block, height=PARENT_HEIGHT + age).check().name == name


@pytest.mark.parametrize("height", [0, 1, 2])
@pytest.mark.parametrize(
    ("committed", "name"), [(0x1F00FFFF, "SHARE_OK"), (0x1F00FFFE, "ANN_INSUF_POW 0")]
)
def test_below_height_3_age_does_not_count(height: int, committed: int, name: str) -> None:
    block = _of_old().committing(max_target=committed)
    assert replace(block, height=height).check().name == name


def test_targets_compare_as_compact_integers() -> None:
    """0x20000001 and 0x1e010000 are the same target."""
    block = _mined([_announcement("odd", work_bits=0x20000001)] * 4)
    assert block.committing(max_target=0x20000001).check().name == "SHARE_OK"
    assert block.committing(max_target=0x1E010000).check().name == "ANN_INSUF_POW 0"


# --- signatures

OTHER = _announcement("other", seed=b"o" * 32)
SIGNATURE, OTHER_SIGNATURE = sign_announcement(SIGNED, SEED), sign_announcement(OTHER, b"o" * 32)


@cache
def _of_two_signers() -> _Block:
    return _mined([SIGNED, SIGNED, OTHER, A])


@pytest.mark.parametrize(
    ("signatures", "name"),
    [
        (None, "SHARE_OK"),
        ((SIGNATURE, SIGNATURE, OTHER_SIGNATURE), "SHARE_OK"),
        ((), "ANN_SIG_INVALID 0"),
        ((SIGNATURE,), "ANN_SIG_INVALID 1"),
        ((SIGNATURE, SIGNATURE), "ANN_SIG_INVALID 2"),
        ((SIGNATURE, OTHER_SIGNATURE), "ANN_SIG_INVALID 1"),
        ((OTHER_SIGNATURE, SIGNATURE, SIGNATURE), "ANN_SIG_INVALID 0"),
        ((SIGNATURE, SIGNATURE, bytes(64)), "ANN_SIG_INVALID 2"),
        ((SIGNATURE, SIGNATURE[:63], OTHER_SIGNATURE), "ANN_SIG_INVALID 1"),
    ],
)
def test_signatures_are_given_in_order(signatures: Sequence[bytes] | None, name: str) -> None:
    assert replace(_of_two_signers(), signatures=signatures).check().name == name


def test_unsigned_announcements_need_no_signatures() -> None:
    assert replace(_share(), signatures=()).check().name == "SHARE_OK"


# --- what is no block at all


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"header": bytes(79)}, "block header has 80 bytes, these are 79"),
        ({"commitment": bytes(49)}, "commitment has 48 bytes, this one has 49"),
        ({"parent_hashes": [bytes(32)] * 3}, "as many parent hashes, not 3"),
    ],
)
def test_other_sizes_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        _vector(VECTORS[0], **change)


def test_the_referee_of_announcements_is_the_default() -> None:
    """Stand-ins are for tests: nobody should have to ask for the real check."""
    assert check_block.__defaults__ == (None, check_announcement)
