"""What a devnet's chain says about its blocks, also when it goes another way."""

import pytest

from packetcrypt.client.pktd_block import BlockPayments, Payment
from packetcrypt.pool.devnet_chain import ChainWatch
from packetcrypt.protocol.pool_messages import BlockInfo

ALICE, BOB = Payment("alice", 3), Payment("bob", 1)


class Node:
    """A chain of blocks by name; the first letter says nothing but which branch it is of."""

    def __init__(self) -> None:
        self.tip = bytes(32)
        self.blocks: dict[bytes, tuple[BlockPayments, bytes]] = {}

    def add(self, name: str, height: int, *payments: Payment, on: str | None = None) -> None:
        block_hash = name.encode().ljust(32, b"-")
        previous = self.tip if on is None else on.encode().ljust(32, b"-")
        block = BlockPayments(hash=block_hash, height=height, transaction_ids=(), payments=payments)
        self.blocks[block_hash] = block, previous
        self.tip = block_hash

    async def best_block_hash(self) -> bytes:
        return self.tip

    async def block(self, block_hash: bytes) -> BlockPayments:
        return self.blocks[block_hash][0]

    async def block_header(self, block_hash: bytes) -> BlockInfo:
        block, previous = self.blocks[block_hash]
        return BlockInfo(
            hash=block_hash,
            height=block.height,
            version=0,
            merkle_root=bytes(32),
            time=0,
            nonce=0,
            bits=0,
            difficulty=1.0,
            previous_hash=previous,
        )


@pytest.fixture
def node() -> Node:
    node = Node()
    for height in range(3):
        node.add(f"ancestor {height}", height)
    return node


def names(watch: ChainWatch) -> list[str]:
    return [block.hash.decode().rstrip("-") for block in watch.mined]


async def test_what_was_there_before_counts_nothing(node: Node) -> None:
    watch = ChainWatch(node)
    assert watch.height is None
    await watch.look()
    assert (watch.height, watch.mined) == (2, ())


async def test_blocks_since_the_first_look_oldest_first(node: Node) -> None:
    watch = ChainWatch(node)
    await watch.look()
    node.add("a3", 3, ALICE)
    await watch.look()
    node.add("a4", 4, BOB)
    node.add("a5", 5, BOB)
    await watch.look()
    assert names(watch) == ["a3", "a4", "a5"]
    assert [block.height for block in watch.mined] == [3, 4, 5]
    assert watch.height == 5


async def test_blocks_that_pay_nobody_were_not_mined_here(node: Node) -> None:
    watch = ChainWatch(node)
    await watch.look()
    node.add("made up", 3)
    node.add("a4", 4, ALICE)
    await watch.look()
    assert names(watch) == ["a4"]


async def test_fractions_of_an_address_are_added_up(node: Node) -> None:
    watch = ChainWatch(node)
    await watch.look()
    node.add("a3", 3, BOB, ALICE, BOB, BOB)
    await watch.look()
    (block,) = watch.mined
    assert list(block.paid.items()) == [("alice", 0.5), ("bob", 0.5)]


async def test_displaced_blocks_are_dropped(node: Node) -> None:
    watch = ChainWatch(node)
    await watch.look()
    node.add("a3", 3, ALICE)
    node.add("a4", 4, ALICE)
    await watch.look()
    node.add("b4", 4, BOB, on="a3")
    node.add("b5", 5, BOB)
    await watch.look()
    assert names(watch) == ["a3", "b4", "b5"]


async def test_even_where_the_watch_began(node: Node) -> None:
    watch = ChainWatch(node)
    await watch.look()
    node.add("a3", 3, ALICE)
    await watch.look()
    node.add("b2", 2, BOB, on="ancestor 1")
    node.add("b3", 3, BOB)
    node.add("b4", 4, BOB)
    await watch.look()
    assert names(watch) == ["b3", "b4"]
