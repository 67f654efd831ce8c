"""Which blocks a devnet has mined, and whom they pay: as its chain says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from packetcrypt.client.pktd import PktdClient
from packetcrypt.client.pktd_block import BlockPayments
from packetcrypt.protocol.json_fields import I32_MAX


@dataclass(frozen=True)
class MinedBlock:
    """A block of the chain that pays somebody, which those that the chain made up do not.

    hash : internal byte order
    paid : parts of what its coinbase pays, by address, largest first; together 1
    """

    height: int
    hash: bytes
    paid: Mapping[str, float]


class ChainWatch:
    """Looks for blocks that were not there at the first look. Errors are those of the client."""

    def __init__(self, node: PktdClient) -> None:
        self._node = node
        self._known: dict[bytes, BlockPayments] = {}
        self._chain: list[bytes] = []

    @property
    def height(self) -> int | None:
        """Of the tip at the last look; None before the first."""
        return self._known[self._chain[-1]].height if self._chain else None

    @property
    def mined(self) -> tuple[MinedBlock, ...]:
        """Blocks of the chain as it was at the last look, oldest first."""
        blocks = (self._known[block_hash] for block_hash in self._chain[1:])
        return tuple(
            MinedBlock(block.height, block.hash, _fractions(block))
            for block in blocks
            if block.payments
        )

    async def look(self) -> None:
        """Follows the chain, also when it went another way than at the last look."""
        begin = self._known[self._chain[0]].height if self._chain else I32_MAX
        block_hash = await self._node.best_block_hash()
        came: list[bytes] = []
        while block_hash not in self._chain:
            if block_hash not in self._known:
                self._known[block_hash] = await self._node.block(block_hash)
            came.append(block_hash)
            previous = (await self._node.block_header(block_hash)).previous_hash
            if previous is None or self._known[block_hash].height <= begin:
                break
            block_hash = previous
        kept = self._chain.index(block_hash) + 1 if block_hash in self._chain else 0
        self._chain = [*self._chain[:kept], *reversed(came)]


def _fractions(block: BlockPayments) -> Mapping[str, float]:
    amounts: dict[str, int] = {}
    for payment in block.payments:
        amounts[payment.address] = amounts.get(payment.address, 0) + payment.value
    total = sum(amounts.values())
    ordered = sorted(amounts.items(), key=lambda entry: (-entry[1], entry[0]))
    return {address: amount / total for address, amount in ordered}
