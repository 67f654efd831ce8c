"""What a work and a set make: commitment, Merkle root, header, targets."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from made_up_blocks import EASIEST, USUAL, block_work, made_up, mined_set_of

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_set import MinedSet, power_of
from packetcrypt.engine.block_store import AnnouncementStore
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.difficulty import degrade, effective_target
from packetcrypt.protocol.errors import DecodeError

HEIGHT = 1000


def mined_set(*batches: np.ndarray) -> MinedSet:
    store = AnnouncementStore(np.zeros((100, 1024), np.uint8), 100)
    for batch in batches:
        store.add(batch)
    return mined_set_of(store)


@pytest.fixture(scope="module")
def mined() -> MinedSet:
    """Of two ages."""
    return mined_set(made_up(20, HEIGHT - 3), made_up(10, HEIGHT - 5))


def candidate_of(height: int, mined: MinedSet, share_target: int = 0x1E00FFFF) -> BlockCandidate:
    candidate = BlockCandidate.of(block_work(height, share_target), mined)
    assert candidate is not None
    return candidate


def test_the_commitment_says_what_is_in_the_set(mined: MinedSet) -> None:
    commitment = BlockCommitment.decode(candidate_of(HEIGHT, mined).commitment)
    assert commitment == BlockCommitment(degrade(USUAL, 5), mined.tree.root, 30)


def test_a_block_later_the_same_set_counts_less(mined: MinedSet) -> None:
    commitment = BlockCommitment.decode(candidate_of(HEIGHT + 1, mined).commitment)
    assert commitment == BlockCommitment(degrade(USUAL, 6), mined.tree.root, 30)
    assert mined.power(HEIGHT) == power_of(degrade(USUAL, 5), 30)
    assert mined.power(HEIGHT + 1) < mined.power(HEIGHT)


@pytest.mark.parametrize("height", [HEIGHT - 1, HEIGHT + 20])
def test_too_young_and_too_old_sets_make_no_candidate(mined: MinedSet, height: int) -> None:
    assert BlockCandidate.of(block_work(height), mined) is None
    assert mined.power(height) == 0


def test_the_merkle_root_is_of_the_coinbase_with_the_commitment(mined: MinedSet) -> None:
    candidate = candidate_of(HEIGHT, mined)
    work = candidate.work
    start = work.coinbase_no_witness.index(bytes.fromhex("09f91102"))
    before, after = work.coinbase_no_witness[:start], work.coinbase_no_witness[start + 48 :]
    node = sha256d(before + candidate.commitment + after)
    for sibling in work.merkle_branch:
        node = sha256d(node + sibling)
    assert candidate.merkle_root == node


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def test_headers_differ_from_the_work_in_root_and_nonce(mined: MinedSet) -> None:
    candidate = candidate_of(HEIGHT, mined)
    header = BlockHeader.decode(candidate.header(0xFFFFFFFE))
    assert header == replace(
        candidate.work.header, merkle_root=candidate.merkle_root, nonce=0xFFFFFFFE
    )


def test_targets_are_the_effective_ones(mined: MinedSet) -> None:
    candidate = candidate_of(HEIGHT, mined)
    max_target = degrade(USUAL, 5)
    assert candidate.share_target == effective_target(0x1E00FFFF, max_target, 30)
    assert candidate.block_target == effective_target(0x1D00FFFF, max_target, 30)
    assert candidate.search_target == candidate.share_target


def test_a_share_target_harder_than_the_block_does_not_hide_blocks(mined: MinedSet) -> None:
    candidate = candidate_of(HEIGHT, mined, share_target=0x1C00FFFF)
    assert candidate.search_target == candidate.block_target > candidate.share_target


def test_a_coinbase_without_placeholder_is_refused(mined: MinedSet) -> None:
    work = replace(block_work(HEIGHT, EASIEST), coinbase_no_witness=b"no place")
    with pytest.raises(DecodeError, match="placeholders"):
        BlockCandidate.of(work, mined)
