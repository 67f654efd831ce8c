"""How a part of the ledger is read back into memory: millions of rows in seconds."""

import itertools
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Select, Table, func, select

from packetcrypt.pool import ledger_schema as schema
from packetcrypt.pool.ledger_rows import ANNOUNCEMENT_POST, BLOCK, SHARE, LedgerRows, Rows, Win

_ROWS_A_FETCH: Final = 50_000


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
    """Like `_rows`, for the table with millions: its columns are all integers.

    The driver's own tuples, because making SQLAlchemy's rows of them doubles the time.
    """
    result = connection.execute(_columns_since(schema.announcement_posts, ANNOUNCEMENT_POST, since))
    width = len(ANNOUNCEMENT_POST.names or ())
    pieces = [np.empty(0, np.int64)]
    assert result.cursor is not None
    while fetched := result.cursor.fetchmany(_ROWS_A_FETCH):
        numbers = itertools.chain.from_iterable(fetched)
        pieces.append(np.fromiter(numbers, np.int64, width * len(fetched)))
    result.close()
    return np.concatenate(pieces).view(ANNOUNCEMENT_POST)


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
