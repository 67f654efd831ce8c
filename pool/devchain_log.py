"""What a development chain says about its blocks in the log."""

import logging
from collections.abc import Sequence

from packetcrypt.pool.devchain_answers import payments
from packetcrypt.pool.devchain_tree import ChainBlock

_MOST_NAMED = 3

_log = logging.getLogger(__name__)


def log_block(block: ChainBlock, seconds: float) -> None:
    """One line for a new block; seconds: since the one before came."""
    if block.commitment is None:
        how = "made up"
        paid = "nobody"
    else:
        how = f"mined with {block.commitment.count} announcements"
        paid = _paid(block)
    _log.info(
        "block %d %s… after %.1f s, %s; next bits %#010x; pays %s",
        *(block.height, block.hash[::-1].hex()[:16], seconds, how, block.next_bits, paid),
    )


def log_displaced(blocks: Sequence[ChainBlock]) -> None:
    """One line for each block that the best chain has lost."""
    for block in blocks:
        _log.info("block %d %s… is displaced", block.height, block.hash[::-1].hex()[:16])


def _paid(block: ChainBlock) -> str:
    outputs = sorted(payments(block), key=lambda output: -output[1])
    total = sum(value for _, value in outputs)
    named = [f"{address} {value / total:.1%}" for address, value in outputs[:_MOST_NAMED]]
    if len(outputs) > _MOST_NAMED:
        named.append(f"{len(outputs) - _MOST_NAMED} more")
    return ", ".join(named) or "nobody"
