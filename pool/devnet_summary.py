"""What a devnet says at its end: blocks and who found them, work taken, and who was paid what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packetcrypt.pool.devnet_chain import MinedBlock
from packetcrypt.pool.devnet_settings import ANNOUNCEMENT_MINER, BLOCK_MINER, DEFAULT_ADDRESS

_NAMES = {
    ANNOUNCEMENT_MINER: "announcement miner",
    BLOCK_MINER: "block miner",
    DEFAULT_ADDRESS: "default address",
}


@dataclass(frozen=True)
class WorkCounts:
    """What handlers answered to work; `rejected`: all that they did not take."""

    accepted: int = 0
    rejected: int = 0

    def __add__(self, other: "WorkCounts") -> "WorkCounts":
        return WorkCounts(self.accepted + other.accepted, self.rejected + other.rejected)


@dataclass(frozen=True)
class Summary:
    """A devnet's end.

    finders : who is credited with a block, by its hash; those that the paymaker does not know lack
    """

    blocks: Sequence[MinedBlock]
    finders: Mapping[bytes, str]
    announcements: WorkCounts
    shares: WorkCounts

    def as_json(self) -> dict[str, Any]:
        """The object for `json.dumps`; hashes as they are displayed."""
        return {
            "blocks": [
                {**_names_of(block), "finder": self.finders.get(block.hash)}
                for block in self.blocks
            ],
            "announcements": _counts(self.announcements),
            "shares": _counts(self.shares),
            "payouts": [{**_names_of(block), "paid": dict(block.paid)} for block in self.blocks],
        }

    def text(self) -> str:
        """For a person: several lines."""
        lines = [
            f"announcements  {self.announcements.accepted} accepted, "
            f"{self.announcements.rejected} rejected",
            f"shares         {self.shares.accepted} accepted, {self.shares.rejected} rejected",
            f"blocks         {len(self.blocks)}",
        ]
        for block in self.blocks:
            lines.append(
                f"  {block.height} {_displayed(block)[:16]}…  "
                f"found by {_named(self.finders.get(block.hash, 'nobody known'))}"
            )
            lines += (f"    {part:7.2%}  {_named(address)}" for address, part in block.paid.items())
        return "\n".join(lines)


def _counts(counts: WorkCounts) -> dict[str, int]:
    return {"accepted": counts.accepted, "rejected": counts.rejected}


def _names_of(block: MinedBlock) -> dict[str, Any]:
    return {"height": block.height, "hash": _displayed(block)}


def _displayed(block: MinedBlock) -> str:
    return block.hash[::-1].hex()


def _named(address: str) -> str:
    return f"{address} ({_NAMES[address]})" if address in _NAMES else address
