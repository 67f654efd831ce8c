"""How a part of the ledger is read back into memory: millions of rows in seconds."""

from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, Table, func, select

from packetcrypt.pool import ledger_schema as schema
from packetcrypt.pool.ledger_rows import ANNOUNCEMENT_POST, BLOCK, SHARE, LedgerRows, Rows, Win


def read_history(connection: Connection, since: int) -> LedgerRows:
    """Events of this time and later, with the newest block and the newest win before it.

    since : milliseconds since 1970. All addresses come, because events count them through.
    """
    addresses = select(schema.addresses.c.address).order_by(schema.addresses.c.number)
    return LedgerRows(
        _post_rows(connection, since),
        _rows(connection, _columns_since(schema.shares, SHARE, since), SHARE),
        _rows(
            connection,
            _columns_since(schema.blocks, BLOCK, _block_before(connection, since)),
            BLOCK,
        ),
        _wins(connection, since),
        tuple(connection.execute(addresses).scalars()),
    )


def _columns_since(table: Table, kind: np.dtype[Any], since: int) -> Select[Any]:
    columns = [table.c[name] for name in kind.names or ()]
    return select(*columns).where(table.c.time >= since)


def _post_rows(connection: Connection, since: int) -> Rows:
    table = schema.packed_posts
    packed = connection.execute(select(table.c.rows).where(table.c.newest >= since)).scalars()
    rows = np.frombuffer(b"".join(packed), ANNOUNCEMENT_POST)
    return rows[rows["time"] >= since]


def _rows(connection: Connection, statement: Select[Any], kind: np.dtype[Any]) -> Rows:
    return np.array([tuple(row) for row in connection.execute(statement)], kind)


def _block_before(connection: Connection, since: int) -> int:
    """The time from which on blocks are needed: work just after `since` is worth what the last
    block before it says."""
    times = schema.blocks.c.time
    newest = connection.execute(select(func.max(times)).where(times < since)).scalar_one()
    return since if newest is None else int(newest)


def _wins(connection: Connection, since: int) -> tuple[Win, ...]:
    table = schema.shares
    won = select(table.c.time, table.c.header_hash).where(table.c.is_block)
    older = won.where(table.c.time < since).order_by(table.c.time.desc()).limit(1)
    newer = won.where(table.c.time >= since)
    return tuple(
        Win(row.time, row.header_hash)
        for statement in (older, newer)
        for row in connection.execute(statement)
    )
