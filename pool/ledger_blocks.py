"""Which blocks the ledger knows, and which of them this pool found."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from packetcrypt.pool import ledger_schema as schema

CHAIN_BLOCKS: Final = 240
"""newest blocks of the chain that are listed: four hours of a chain with a block a minute"""
WON_BLOCKS: Final = 100
"""newest blocks of this pool that are listed, however old"""

_ID_SIZE: Final = 16


@dataclass(frozen=True)
class LedgerBlock:
    """A block that handlers told of.

    time         : when a handler saw it in the chain; when its share came, if none did;
                   milliseconds since 1970
    event_id     : of the share that it was, else of the block event; 16 bytes
    hash         : internal byte order; None if the handler did not say it
    height       : None if no handler saw it in the chain: it came a moment ago, or the node took
                   another one
    finder       : who is credited with it; None if another pool found it
    is_displaced : a later block event names another block of this height
    """

    time: int
    event_id: bytes
    hash: bytes | None
    height: int | None
    finder: str | None
    is_displaced: bool


def read_blocks(connection: Connection) -> tuple[LedgerBlock, ...]:
    """The newest blocks of the chain and the newest that the pool found, newest first."""
    blocks = schema.blocks
    newest = select(blocks).order_by(blocks.c.time.desc()).limit(CHAIN_BLOCKS)
    events = {row.event_id: row for row in connection.execute(newest)}
    wins = _wins(connection)
    of_wins = {_event_of(win.header_hash) for win in wins if win.header_hash is not None}
    known = select(blocks).where(blocks.c.event_id.in_(of_wins - events.keys()))
    events |= {row.event_id: row for row in connection.execute(known)}
    displaced = _displaced(connection, events.values())

    found = []
    for win in wins:
        event = None if win.header_hash is None else events.pop(_event_of(win.header_hash), None)
        found.append(
            LedgerBlock(
                win.time if event is None else event.time,
                win.event_id,
                win.header_hash,
                None if event is None else event.height,
                win.address,
                event is not None and event.event_id in displaced,
            )
        )
    others = [
        LedgerBlock(row.time, key, row.hash, row.height, None, key in displaced)
        for key, row in events.items()
    ]
    return tuple(sorted([*found, *others], key=lambda block: (-block.time, block.event_id)))


def _wins(connection: Connection) -> list[Row[Any]]:
    shares, addresses = schema.shares, schema.addresses
    statement = (
        select(shares.c.time, shares.c.event_id, shares.c.header_hash, addresses.c.address)
        .join(addresses, addresses.c.number == shares.c.address)
        .where(shares.c.is_block)
        .order_by(shares.c.time.desc())
        .limit(WON_BLOCKS)
    )
    return list(connection.execute(statement))


def _event_of(block_hash: bytes) -> bytes:
    """The id of the event that says that the chain has this block (spec 2: half of its hash)."""
    return block_hash[::-1][:_ID_SIZE]


def _displaced(connection: Connection, events: Iterable[Row[Any]]) -> set[bytes]:
    """Ids of events after which another block of the same height was told."""
    blocks = schema.blocks
    heights = {row.height for row in events}
    newest: dict[int, tuple[int, bytes]] = {}
    ids = set()
    columns = select(blocks.c.height, blocks.c.time, blocks.c.event_id)
    for row in connection.execute(columns.where(blocks.c.height.in_(heights))):
        ids.add(row.event_id)
        newest[row.height] = max(newest.get(row.height, (0, b"")), (row.time, row.event_id))
    return ids - {event_id for _, event_id in newest.values()}
