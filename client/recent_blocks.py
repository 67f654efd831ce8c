"""Which blocks end a pool's chain: the tip and its parents, walked back through blkinfo."""

from collections.abc import Iterable
from dataclasses import dataclass

from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.master import MasterClient
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.pool_messages import TRACKED_PARENTS, BlockInfo, MasterConfig


@dataclass(frozen=True)
class RecentBlocks:
    """The end of a chain, as far as the master told it.

    blocks  : the tip and those before it, newest first, at most `TRACKED_PARENTS`
    problem : why there are fewer; None if there are all, or if the chain is that young
    """

    blocks: tuple[BlockInfo, ...]
    problem: PoolError | None = None


async def recent_blocks(
    master: MasterClient, config: MasterConfig, known: Iterable[BlockInfo] = ()
) -> RecentBlocks:
    """Walk back from the tip that `config` names.

    known : blocks of earlier walks, which are not asked for again

    A rollback needs no special care: the walk follows the tip's own parents.
    """
    already = {block.hash: block for block in known}
    blocks: list[BlockInfo] = []
    wanted: bytes | None = config.tip_hash
    height = config.current_height - 1
    try:
        while wanted is not None and height >= 0 and len(blocks) < TRACKED_PARENTS:
            block = already.get(wanted) or await block_of_chain(master, wanted, height)
            blocks.append(block)
            wanted, height = block.previous_hash, height - 1
    except PoolError as problem:
        return RecentBlocks(tuple(blocks), problem)
    return RecentBlocks(tuple(blocks))


async def block_of_chain(master: MasterClient, block_hash: bytes, height: int) -> BlockInfo:
    """The block with this hash, at this height as the blocks after it imply.

    Raises `PoolNonsense` if the master says another height, and what `MasterClient.blkinfo` raises.
    """
    block = await master.blkinfo(block_hash[::-1].hex())
    if block.height != height:
        raise PoolNonsense(
            f"{master.url} says that block {block.hash[::-1].hex()} has height {block.height}, "
            f"but by its config.json and the blocks after it that is {height}. "
            "The pool's master is broken; tell its operator."
        )
    return block
