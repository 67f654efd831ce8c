"""Proof trees against proof_tree.json, by property, and against every way to lie."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_files import load_vectors

from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.proof_tree import (
    ProofError,
    ProofTree,
    create_proof,
    hash_proof,
    layer_sizes,
    root_hash,
)

TREES = load_vectors("proof_tree")["trees"]
PROOFS = [
    pytest.param(tree, proof, id=f"{tree['count']}-{number}")
    for tree in TREES
    for number, proof in enumerate(tree["proofs"])
]
MAX = (1 << 64) - 1


def _sorted(hashes: Sequence[bytes]) -> list[bytes]:
    """By dedup key, one of each."""
    by_key = {int.from_bytes(leaf[:8], "little"): leaf for leaf in hashes}
    return [by_key[key] for key in sorted(by_key)]


@cache
def _known_hashes(count: int) -> list[bytes]:
    """The announcement hashes behind a vector, as its note says."""
    contents = (f"public1/tree/{count}/{k}".encode() for k in range(count))
    return _sorted([h32(hashlib.shake_256(content).digest(64)) for content in contents])


@cache
def _known_tree(count: int) -> ProofTree:
    return ProofTree(_known_hashes(count))


def _of(hashes: Sequence[bytes], indexes: Sequence[int]) -> list[bytes]:
    return [hashes[index] for index in indexes]


def _leaf(key: int, rest: int = 0) -> bytes:
    return key.to_bytes(8, "little") + rest.to_bytes(24, "little")


# --- known answers


@pytest.mark.parametrize("case", TREES, ids=lambda case: str(case["count"]))
def test_known_roots(case: dict[str, Any]) -> None:
    hashes = _known_hashes(case["count"])
    assert (hashes[0].hex(), hashes[-1].hex()) == (case["first"], case["last"])
    assert _known_tree(case["count"]).root.hex() == case["root"]


@pytest.mark.parametrize(("case", "known"), PROOFS)
def test_known_proofs(case: dict[str, Any], known: dict[str, Any]) -> None:
    assert _known_tree(case["count"]).prove(known["indexes"]).hex() == known["proof"]


@pytest.mark.parametrize(("case", "known"), PROOFS)
def test_known_proofs_lead_to_the_root(case: dict[str, Any], known: dict[str, Any]) -> None:
    proven = _of(_known_hashes(case["count"]), known["indexes"])
    root = hash_proof(proven, case["count"], known["indexes"], bytes.fromhex(known["proof"]))
    assert root.hex() == case["root"]


# --- properties

HASH_SETS = st.lists(
    st.builds(_leaf, st.integers(1, 40) | st.integers(1, MAX - 1), st.integers(0, 1 << 64)),
    min_size=1,
    max_size=40,
).map(_sorted)


@given(HASH_SETS, st.tuples(*[st.integers(0, MAX)] * 4))
def test_what_is_proved_leads_to_the_root(hashes: list[bytes], numbers: tuple[int, ...]) -> None:
    tree = ProofTree(hashes)
    indexes = [number % len(hashes) for number in numbers]
    proof = tree.prove(indexes)
    assert hash_proof(_of(hashes, indexes), len(hashes), indexes, proof) == tree.root
    assert hash_proof(_of(hashes, indexes), len(hashes), numbers, proof) == tree.root


@given(HASH_SETS, st.data())
def test_another_announcement_leads_elsewhere(hashes: list[bytes], data: st.DataObject) -> None:
    """Even one with the same key: the root commits to all of its hash."""
    tree = ProofTree(hashes)
    index = data.draw(st.integers(0, len(hashes) - 1))
    forged = hashes[index][:31] + bytes([hashes[index][31] ^ 1])
    assert hash_proof([forged] * 4, len(hashes), [index] * 4, tree.prove([index] * 4)) != tree.root


@given(st.integers(1, 1 << 24))
def test_layers_are_even_and_halve(count: int) -> None:
    sizes = layer_sizes(count)
    assert sizes[0] == count + 1 + (count + 1) % 2
    for size, above in pairwise(sizes):
        assert size % 2 == 0
        assert above == size // 2 + (size // 2) % 2 or above == size // 2 == 1
    assert sizes[-1] == 1


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, (2, 1)), (2, (4, 2, 1)), (3, (4, 2, 1)), (4, (6, 4, 2, 1)), (8, (10, 6, 4, 2, 1))],
)
def test_layer_sizes(count: int, sizes: tuple[int, ...]) -> None:
    tree = _known_tree(count)
    assert layer_sizes(count) == sizes
    for layer, size in enumerate(sizes):
        assert tree.end_of(layer, size - 1) == MAX


class _HugeTree:
    """2^40 announcements with the keys 1, 2, 3, …; only the nodes that are asked for exist."""

    count = 1 << 40

    def __init__(self) -> None:
        self.asked: set[tuple[int, int]] = set()

    def _entry(self, layer: int, index: int) -> int:
        self.asked.add((layer, index))
        return index << layer

    def hash_of(self, layer: int, index: int) -> bytes:
        entry = self._entry(layer, index)
        return _leaf(entry) if layer == 0 else h32(b"%d/%d" % (layer, index))

    def start_of(self, layer: int, index: int) -> int:
        return self._entry(layer, index)

    def end_of(self, layer: int, index: int) -> int:
        entry = self._entry(layer, index) + (1 << layer)
        return MAX if entry > self.count else entry


def test_a_proof_looks_at_few_nodes_of_a_huge_tree() -> None:
    tree = _HugeTree()
    indexes = [0, 1, tree.count // 3, tree.count - 1]
    proof = create_proof(tree, indexes)
    assert len(tree.asked) < 4 * 41
    proven = [_leaf(index + 1) for index in indexes]
    assert len(hash_proof(proven, tree.count, indexes, proof)) == 32


# --- sets of which no tree is made


@pytest.mark.parametrize(
    "keys",
    [[], [0], [MAX], [0, 5], [5, MAX], [5, 5], [6, 5], [5, 7, 6, 8]],
    ids=str,
)
def test_sets_that_are_no_sets(keys: list[int]) -> None:
    with pytest.raises(ProofError):
        ProofTree([_leaf(key) for key in keys])


@pytest.mark.parametrize("indexes", [[], [-1, 0, 0, 0], [0, 0, 0, 5]], ids=str)
def test_only_what_is_there_is_proved(indexes: list[int]) -> None:
    with pytest.raises(ValueError, match="over 5 announcements has no indexes"):
        _known_tree(5).prove(indexes)


# --- proofs that lie

SMALL = [1, 2, 3, 4, 5, 7, 8]


@pytest.mark.parametrize("count", SMALL)
@pytest.mark.parametrize("proven", [[0, 0, 0, 0], [-1, -1, -1, -1], [0, 1, 2, -1]], ids=str)
def test_every_byte_of_a_proof_counts(count: int, proven: list[int]) -> None:
    """A changed byte is found out at once, or leads to another root."""
    hashes, tree = _known_hashes(count), _known_tree(count)
    indexes = [index % count for index in proven]
    proof = tree.prove(indexes)
    for position in range(len(proof)):
        changed = bytearray(proof)
        changed[position] ^= 0x40
        try:
            root = hash_proof(_of(hashes, indexes), count, indexes, bytes(changed))
        except ProofError:
            continue
        assert root != tree.root, f"byte {position}"


@pytest.mark.parametrize("count", SMALL)
def test_a_proof_is_neither_longer_nor_shorter(count: int) -> None:
    hashes = _known_hashes(count)
    proof = _known_tree(count).prove([0] * 4)
    for wrong in (proof[:-1], proof[:-8], b"", proof + b"\0", proof + bytes(40)):
        with pytest.raises(ProofError, match=r"cut short|but indexes"):
            hash_proof([hashes[0]] * 4, count, [0] * 4, wrong)


@pytest.mark.parametrize("difference", [-1, 1])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 100])
def test_another_count_does_not_fit(count: int, difference: int) -> None:
    """It has another shape, or another root, or another last announcement."""
    hashes, tree = _known_hashes(count), _known_tree(count)
    indexes = [0, 0, 0, min(count, count + difference) - 1]
    proof = tree.prove(indexes)
    try:
        root = hash_proof(_of(hashes, indexes), count + difference, indexes, proof)
    except ProofError:
        return
    assert root != tree.root


@given(
    st.integers(1, MAX),
    st.tuples(*[st.integers(0, MAX)] * 4),
    st.lists(st.sampled_from([b"\0", b"\xff", b"\x80"]), max_size=900).map(b"".join)
    | st.binary(max_size=6000),
)
def test_any_bytes_are_a_proof_or_refused(
    count: int, numbers: tuple[int, ...], proof: bytes
) -> None:
    """Also for sets of a size that nobody can have: the count comes from a stranger."""
    with suppress(ProofError):
        assert len(hash_proof([_leaf(5)] * 4, count, numbers, proof)) == 32


def test_a_set_of_none_has_no_proof() -> None:
    with pytest.raises(ProofError, match="set of 0 announcements"):
        hash_proof([_leaf(5)] * 4, 0, [0] * 4, b"")


def test_one_index_has_one_announcement() -> None:
    tree = ProofTree([_leaf(5), _leaf(9)])
    with pytest.raises(ProofError, match="two different announcements are given for index 1"):
        hash_proof([_leaf(9), _leaf(9, 1)] * 2, 2, [1] * 4, tree.prove([1] * 4))


def test_indexes_that_are_equal_modulo_the_count_are_one() -> None:
    tree = ProofTree([_leaf(5), _leaf(9)])
    with pytest.raises(ProofError, match="two different announcements are given for index 1"):
        hash_proof([_leaf(9), _leaf(9, 1)] * 2, 2, [1, 3] * 2, tree.prove([1] * 4))


def _entry(key: int, length: int, is_right: bool, hash_rest: int = 0) -> bytes:
    """How a proof writes a leaf that is not proven."""
    return (length.to_bytes(8, "little") if is_right else b"") + _leaf(key, hash_rest)


def _length(length: int) -> bytes:
    return length.to_bytes(8, "little")


def _one(key: int, length: int, zero: bytes = bytes(32)) -> bytes:
    """hash_proof of a set of one announcement: entry 0, then the announcement's length."""
    return hash_proof([_leaf(key)] * 4, 1, [0] * 4, zero + _length(length))


def test_a_set_of_one_by_hand() -> None:
    assert _one(5, MAX - 5) == ProofTree([_leaf(5)]).root
    left, right = bytes(32) + _length(0) + _length(5), _leaf(5) + _length(5) + _length(MAX)
    assert _one(5, MAX - 5) == root_hash(h32(left + right) + _length(0) + _length(MAX))


@pytest.mark.parametrize(
    ("key", "length", "message"),
    [
        (5, MAX - 6, "goes from key 0 to 18446744073709551614"),
        (5, MAX - 4, "which is no range"),
        (5, MAX, "which is no range"),
        (5, 0, "which is no range"),
        (0, MAX, "goes from key 0 to 0, which is no range"),
        (MAX, 0, "which is no range"),
        (MAX, 1, "which is no range"),
    ],
)
def test_the_last_entry_ends_at_the_last_key(key: int, length: int, message: str) -> None:
    with pytest.raises(ProofError, match=message):
        _one(key, length)


def test_entry_0_starts_at_key_0() -> None:
    with pytest.raises(ProofError, match="goes from key 1 to"):
        _one(5, MAX - 5, zero=_leaf(1))


def test_entry_0_has_the_hash_0_in_the_root() -> None:
    """Another hash that begins with key 0 is no contradiction in itself, but another root."""
    assert _one(5, MAX - 5, zero=_leaf(0, 1)) != ProofTree([_leaf(5)]).root


# A set of the keys 10, 20, 30 has the entries 0..10, 10..20, 20..30, 30..MAX. The proof of the
# first has entry 0, the length of the first, then length and hash of the upper two.
THREE = ProofTree([_leaf(10), _leaf(20), _leaf(30)])


def _first_of_three(first: int = 10, upper: int = MAX - 20, zero: bytes = bytes(32)) -> bytes:
    proof = zero + _length(first) + _length(upper) + THREE.hash_of(1, 1)
    return hash_proof([_leaf(10)] * 4, 3, [0] * 4, proof)


def test_a_set_of_three_by_hand() -> None:
    assert _first_of_three() == THREE.root


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ({"first": 0}, "goes from key 10 to 10, which is no range"),
        ({"first": 9}, "goes from key 0 to 18446744073709551614: it must"),
        ({"first": 11}, "goes from key 21 to 18446744073709551616, which is no range"),
        ({"upper": 0}, "goes from key 20 to 20, which is no range"),
        ({"upper": MAX - 21}, "goes from key 0 to 18446744073709551614: it must"),
        ({"upper": MAX}, "which is no range"),
        ({"zero": _leaf(10)}, "goes from key 10 to 10, which is no range"),
        ({"zero": _leaf(11)}, "goes from key 11 to 10, which is no range"),
    ],
    ids=str,
)
def test_ranges_of_a_right_neighbour(lengths: dict[str, Any], message: str) -> None:
    with pytest.raises(ProofError, match=message):
        _first_of_three(**lengths)


def _last_of_three(lower: int = 20, second: bytes = _leaf(20), last: int = MAX - 30) -> bytes:
    proof = _length(lower) + THREE.hash_of(1, 0) + second + _length(last)
    return hash_proof([_leaf(30)] * 4, 3, [2] * 4, proof)


def test_the_other_end_of_three_by_hand() -> None:
    assert _last_of_three() == THREE.root


@pytest.mark.parametrize(
    ("lies", "message"),
    [
        ({"lower": 0}, "goes from key 20 to 20, which is no range"),
        ({"lower": 19}, "goes from key 1 to 18446744073709551615: it must"),
        ({"lower": 21}, "goes from key -1 to 20, which is no range"),
        ({"second": _leaf(30)}, "goes from key 30 to 30, which is no range"),
        ({"second": _leaf(21)}, "goes from key 1 to"),
        ({"last": MAX - 31}, "goes from key 0 to 18446744073709551614: it must"),
    ],
    ids=str,
)
def test_ranges_of_a_left_neighbour(lies: dict[str, Any], message: str) -> None:
    with pytest.raises(ProofError, match=message):
        _last_of_three(**lies)


def _first_and_last_of_three(first: int = 10, second: int = 20) -> bytes:
    proof = bytes(32) + _length(first) + _leaf(second) + _length(MAX - 30)
    return hash_proof([_leaf(10), _leaf(30)] * 2, 3, [0, 2] * 2, proof)


def test_both_ends_of_three_by_hand() -> None:
    assert _first_and_last_of_three() == THREE.root


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (9, 20, "a node ends at key 19, the next one starts at 20"),
        (11, 20, "a node ends at key 21, the next one starts at 20"),
        (10, 21, "a node ends at key 20, the next one starts at 21"),
        (10, 19, "a node ends at key 20, the next one starts at 19"),
    ],
    ids=["gap", "overlap", "gap after the first", "overlap with the first"],
)
def test_two_computable_nodes_must_meet(first: int, second: int, message: str) -> None:
    with pytest.raises(ProofError, match=message):
        _first_and_last_of_three(first, second)


def test_before_a_pad_the_last_entry_ends_at_the_last_key() -> None:
    """Two announcements make three entries: the pad's start is where the last one must end."""
    tree = ProofTree([_leaf(10), _leaf(20)])
    proof = tree.prove([1] * 4)
    assert proof == _length(20) + tree.hash_of(1, 0)
    assert hash_proof([_leaf(20)] * 4, 2, [1] * 4, proof) == tree.root


def test_before_a_padded_node_the_last_entry_ends_at_the_last_key() -> None:
    """Four announcements make five entries, three nodes over them, and so a pad on layer 1 too."""
    keys = [10, 20, 30, 40]
    tree = ProofTree([_leaf(key) for key in keys])
    proof = tree.prove([3] * 4)
    assert proof == _length(40) + tree.hash_of(2, 0)
    assert hash_proof([_leaf(40)] * 4, 4, [3] * 4, proof) == tree.root
    with pytest.raises(ProofError, match="goes from key 39 to 18446744073709551615: it must"):
        hash_proof([_leaf(40)] * 4, 4, [3] * 4, _length(1) + proof[8:])
