"""How an upload gets into the ledger: what it tells for the first time, and no event twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from sqlalchemy import Connection, Table, insert, select

from packetcrypt.pool import ledger_schema as schema
from packetcrypt.pool.ledger_rows import (
    ANNOUNCEMENT_POST,
    BLOCK,
    SHARE,
    LedgerRows,
    Recorded,
    Rows,
    Win,
)
from packetcrypt.pool.paymaker_body import Event, PayLogBody, canonical_address
from packetcrypt.protocol.pool_messages import AnnouncementPostResult
from packetcrypt.protocol.share_messages import BlockEvent, ShareResult

_IDS_A_QUESTION: Final = 500
"""databases take only so many values in one statement"""

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Upload:
    """A pay log that came.

    upload_id : 16 bytes of the hash of its bytes
    received  : milliseconds since 1970
    """

    upload_id: bytes
    received: int
    size: int
    body: PayLogBody


def write_upload(connection: Connection, upload: Upload, known: Mapping[str, int]) -> Recorded:
    """Writes what is new, within a transaction of the caller's.

    known : numbers of the addresses that the ledger has
    """
    body = upload.body
    posts = _new_events(connection, schema.announcement_posts, body.announcement_posts)
    shares = _new_events(connection, schema.shares, body.shares)
    blocks = _new_events(connection, schema.blocks, body.blocks)
    new = len(posts) + len(shares) + len(blocks)
    told = len(body.announcement_posts) + len(body.shares) + len(body.blocks)
    number = _write_heading(
        connection,
        upload,
        announcement_posts=len(posts),
        shares=len(shares),
        blocks=len(blocks),
        repeated=told - new,
    )
    new_addresses = _write_addresses(connection, known, (*posts.values(), *shares.values()))
    numbers = {**known, **new_addresses}
    post_rows = [_post_row(number, *entry, numbers) for entry in posts.items()]
    share_rows = [_share_row(number, *entry, numbers) for entry in shares.items()]
    block_rows = [_block_row(number, *entry) for entry in blocks.items()]
    _write(connection, schema.announcement_posts, post_rows)
    _write(connection, schema.shares, share_rows)
    _write(connection, schema.blocks, block_rows)
    refused = [
        {"upload": number, "line": line.number, "content": line.content, "reason": line.reason}
        for line in body.refused
    ]
    _write(connection, schema.refused_lines, refused)
    posts_packed = _columns(post_rows, ANNOUNCEMENT_POST)
    if len(posts_packed):
        newest = int(posts_packed["time"].max())
        packed = {"upload": number, "newest": newest, "rows": posts_packed.tobytes()}
        _write(connection, schema.packed_posts, [packed])
    rows = LedgerRows(
        posts_packed,
        _columns(share_rows, SHARE),
        _columns(block_rows, BLOCK),
        tuple(Win(share.time, share.header_hash) for share in shares.values() if share.block),
        tuple(new_addresses),
    )
    return Recorded(rows, told - new)


def _new_events(connection: Connection, table: Table, told: Sequence[E]) -> dict[bytes, E]:
    """Those that the table does not have, by id; of several with one id the first."""
    by_id: dict[bytes, E] = {}
    for event in told:
        by_id.setdefault(bytes.fromhex(event.event_id), event)
    ids = list(by_id)
    column = table.c.event_id
    for start in range(0, len(ids), _IDS_A_QUESTION):
        asked = ids[start : start + _IDS_A_QUESTION]
        for known in connection.execute(select(column).where(column.in_(asked))).scalars():
            del by_id[known]
    return by_id


def _write_heading(connection: Connection, upload: Upload, **counts: int) -> int:
    """Adds the upload itself; returns its number."""
    statement = insert(schema.uploads).values(
        upload_id=upload.upload_id,
        received=upload.received,
        size=upload.size,
        refused=len(upload.body.refused),
        **counts,
    )
    key = connection.execute(statement).inserted_primary_key
    assert key is not None
    number: int = key[0]
    return number


def _write_addresses(
    connection: Connection,
    known: Mapping[str, int],
    events: Iterable[AnnouncementPostResult | ShareResult],
) -> dict[str, int]:
    names = dict.fromkeys(canonical_address(event.pay_to) for event in events)
    new = [name for name in names if name not in known]
    numbers = {name: number for number, name in enumerate(new, start=len(known))}
    rows = [{"number": number, "address": name} for name, number in numbers.items()]
    _write(connection, schema.addresses, rows)
    return numbers


def _post_row(
    upload: int, event_id: bytes, post: AnnouncementPostResult, numbers: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "upload": upload,
        "time": post.time,
        "address": numbers[canonical_address(post.pay_to)],
        "accepted": post.accepted,
        "unsigned": post.unsigned,
        "total_length": post.total_length,
        "target": post.target,
    }


def _share_row(
    upload: int, event_id: bytes, share: ShareResult, numbers: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "upload": upload,
        "time": share.time,
        "address": numbers[canonical_address(share.pay_to)],
        "target": share.target,
        "encryptions": float(share.encryptions),
        "is_block": share.block,
        "header_hash": share.header_hash,
    }


def _block_row(upload: int, event_id: bytes, block: BlockEvent) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "upload": upload,
        "time": block.time,
        "height": block.height,
        "difficulty": block.difficulty,
        "hash": block.hash,
    }


def _write(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _columns(rows: Sequence[Mapping[str, Any]], kind: np.dtype[Any]) -> Rows:
    names = kind.names or ()
    return np.array([tuple(row[name] for name in names) for row in rows], kind)
