"""What the page of one address says: what it did here, and what it will get for that."""

from dataclasses import dataclass
from enum import Enum

from packetcrypt.pool.page_names import Name, name_of
from packetcrypt.pool.page_payout import PaidPart, paid_parts, warmup_sentence
from packetcrypt.pool.page_text import is_payto, percent, significant, visible, with_unit
from packetcrypt.pool.page_view import BlockRow, Tile, block_rows
from packetcrypt.pool.page_watch import PoolState
from packetcrypt.pool.paymaker_body import canonical_address, is_payable
from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.errors import DecodeError


class Acquaintance(Enum):
    """What the pool knows of a name."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"
    """the paymaker has not said anything yet"""
    IMPOSSIBLE = "impossible"
    """handlers take no work under such a name"""


@dataclass(frozen=True)
class MinerPage:
    """The page of one name.

    payable : whether it is a PKT address; `trouble` says why not
    warmup  : the pool's warm-up sentence
    """

    name: Name
    acquaintance: Acquaintance
    payable: bool
    trouble: str = ""
    tiles: tuple[Tile, ...] = ()
    parts: tuple[PaidPart, ...] = ()
    blocks: tuple[BlockRow, ...] = ()
    warmup: str = ""


def miner_page(state: PoolState, text: str, root: str) -> MinerPage:
    """The page of what somebody typed, or was linked to."""
    if not is_payto(text):
        shown = Name(visible(text), "")
        return MinerPage(shown, Acquaintance.IMPOSSIBLE, payable=False)
    address = canonical_address(text)
    name = name_of(address, root)
    assert name is not None
    payable, trouble = is_payable(address), _trouble(address)
    report = state.paymaker.value
    if report is None:
        return MinerPage(name, Acquaintance.NOT_ASKED, payable, trouble)
    announcing = report.announcement_miners.get(address)
    mining = report.block_miners.get(address)
    fraction = report.payout.get(address, 0.0)
    blocks = tuple(block for block in state.blocks.value or () if block.finder == address)
    if announcing is None and mining is None and not fraction and not blocks:
        return MinerPage(name, Acquaintance.UNKNOWN, payable, trouble)
    tiles = [Tile("Next block pays", *_number_and_unit(percent(fraction)), note="of its reward")]
    if announcing is not None:
        tiles += [
            Tile(
                "Announcements",
                *with_unit(1000 * announcing.kbps, "b/s"),
                note="last seen",
                moment=announcing.last_seen,
            ),
            Tile(
                "Encryptions for announcements",
                *with_unit(announcing.encryptions, "e/s"),
                note=f"{significant(announcing.credits)} credits",
            ),
        ]
        if announcing.warmup is not None:
            note = "paid fully" if announcing.warmup >= 1 else "of the paid time has passed"
            warmup = _number_and_unit(percent(announcing.warmup))
            tiles.append(Tile("Warm-up", *warmup, note=note))
    if mining is not None:
        tiles.append(
            Tile(
                "Encryptions for blocks",
                *with_unit(mining.encryptions, "e/s"),
                note=f"{significant(mining.credits)} credits, last seen",
                moment=mining.last_seen,
            )
        )
    return MinerPage(
        name,
        Acquaintance.KNOWN,
        payable,
        trouble,
        tuple(tiles),
        paid_parts(report, address, fraction),
        block_rows(blocks, root),
        warmup_sentence(report),
    )


def _number_and_unit(text: str) -> tuple[str, str]:
    return text[:-2], text[-1]


def _trouble(address: str) -> str:
    """Why a name is no address, without the name itself."""
    try:
        parse_address(address)
    except DecodeError as error:
        reason = error.__cause__ or error
        return str(reason)
    return ""
