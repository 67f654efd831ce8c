"""Which branch of a development chain is the best one."""

import pytest

from packetcrypt.pool.devchain_tree import DISPLACED, BlockTree, ChainBlock
from packetcrypt.protocol.block_header import BlockHeader

FIRST = 100


def _block(parent: ChainBlock | None, label: int = 0) -> ChainBlock:
    header = BlockHeader(
        version=1,
        previous_hash=bytes(32) if parent is None else parent.hash,
        merkle_root=label.to_bytes(32, "big"),
        time=0,
        bits=0,
        nonce=0,
    )
    height = FIRST if parent is None else parent.height + 1
    return ChainBlock(height=height, header=header, next_bits=0)


def _grown(tree: BlockTree, parent: ChainBlock, count: int, label: int = 0) -> list[ChainBlock]:
    """So many blocks upon another, added one by one."""
    branch = []
    for _ in range(count):
        parent = _block(parent, label)
        tree.add(parent)
        branch.append(parent)
    return branch


@pytest.fixture
def first() -> ChainBlock:
    return _block(None)


@pytest.fixture
def tree(first: ChainBlock) -> BlockTree:
    return BlockTree(first)


def test_a_chain_without_branches(tree: BlockTree, first: ChainBlock) -> None:
    second, third = _grown(tree, first, 2)
    assert tree.tip is third
    assert [tree.at(FIRST + n) for n in range(-1, 4)] == [None, first, second, third, None]
    assert [tree.confirmations(block) for block in (first, second, third)] == [3, 2, 1]
    assert list(tree.back_from(third.hash)) == [third, second, first]


def test_of_two_blocks_of_a_height_the_first_stays(tree: BlockTree, first: ChainBlock) -> None:
    (came_first,) = _grown(tree, first, 1)
    rival = _block(first, 1)
    assert tree.add(rival) == ()
    assert tree.tip is came_first
    assert (tree.confirmations(rival), tree.get(rival.hash)) == (DISPLACED, rival)


def test_a_longer_branch_displaces_what_it_does_not_share(
    tree: BlockTree, first: ChainBlock
) -> None:
    shared, *lost = _grown(tree, first, 3)
    *rivals, last = (one := _block(shared, 1)), (two := _block(one, 1)), _block(two, 1)
    assert [tree.add(rival) for rival in rivals] == [(), ()]
    assert tree.add(last) == tuple(lost)
    assert [tree.at(FIRST + n) for n in range(5)] == [first, shared, one, two, last]
    assert [tree.confirmations(block) for block in lost] == [DISPLACED, DISPLACED]


def test_a_displaced_branch_comes_back_when_it_is_longer(
    tree: BlockTree, first: ChainBlock
) -> None:
    (old,) = _grown(tree, first, 1)
    rivals = _grown(tree, first, 2, label=1)
    middle = _block(old)
    assert tree.add(middle) == ()
    last = _block(middle)
    assert tree.add(last) == tuple(rivals)
    assert list(tree.back_from(tree.tip.hash)) == [last, middle, old, first]
    assert tree.confirmations(old) == 3


def test_displaced_blocks_stay_known(tree: BlockTree, first: ChainBlock) -> None:
    (lost,) = _grown(tree, first, 1)
    _grown(tree, first, 2, label=1)
    assert lost.hash in tree
    assert len(tree) == 4
    assert tree.get(bytes(32)) is None
