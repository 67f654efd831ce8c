"""What a pool acknowledged, and whether its ledger and its chain say the same afterwards."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from recording_proxy import Exchange

from packetcrypt.handler.dedup import Keys, dedup_keys
from packetcrypt.pool.ledger_rows import ANNOUNCEMENT_POST
from packetcrypt.protocol.block_header import BLOCK_HEADER_SIZE, BlockHeader
from packetcrypt.protocol.pool_messages import AnnouncementPostReply, post_event_id
from packetcrypt.protocol.share_messages import ShareReply

#: of an event: who is paid, and how much of what
Numbers = tuple[str, ...]


@dataclass
class PoolRecord:
    """Notes exchanges; the methods `note_…` are for recording proxies.

    posts, shares    : acknowledged events by id, with their numbers
    bodies           : ids of all posts, and of how many announcements each was
    blocks           : hashes that the chain said yes to, with how many yeses
    payouts          : how often the chain took whom to pay
    changed          : events that were acknowledged again with other numbers
    """

    posts: dict[str, Numbers] = field(default_factory=dict)
    shares: dict[str, Numbers] = field(default_factory=dict)
    bodies: dict[str, int] = field(default_factory=dict)
    blocks: Counter[bytes] = field(default_factory=Counter)
    payouts: int = 0
    changed: list[str] = field(default_factory=list)
    last_post: Exchange | None = None
    last_share: Exchange | None = None
    unanswered: int = 0
    _keys: list[Keys] = field(default_factory=list)

    @property
    def distinct_announcements(self) -> int:
        """How many different ones were ever posted."""
        return len(np.unique(np.concatenate([np.empty(0, np.uint64), *self._keys])))

    def note_announcement_handler(self, exchange: Exchange) -> None:
        if not exchange.path.endswith("/submit"):
            return
        event_id = post_event_id(exchange.request)
        if event_id not in self.bodies:
            whole = len(exchange.request) // 1024 * 1024
            self.bodies[event_id] = whole // 1024
            self._keys.append(dedup_keys(exchange.request[:whole]))
        if exchange.status is None:
            self.unanswered += 1
            return
        result = AnnouncementPostReply.decode(exchange.answer).result
        if result is not None and result.accepted:
            numbers = (result.pay_to, *map(str, (result.accepted, result.unsigned, result.target)))
            self._acknowledge(self.posts, result.event_id, numbers)
            self.last_post = exchange

    def note_block_handler(self, exchange: Exchange) -> None:
        if not exchange.path.endswith("/submit"):
            return
        if exchange.status is None:
            self.unanswered += 1
            return
        result = ShareReply.decode(exchange.answer).result
        if result is not None:
            numbers = (result.pay_to, *map(str, (result.target, int(result.block))))
            self._acknowledge(self.shares, result.event_id, numbers)
            self.last_share = exchange

    def note_chain(self, exchange: Exchange) -> None:
        if exchange.status != 200:
            return
        call, answer = json.loads(exchange.request), json.loads(exchange.answer)
        if answer.get("error") is not None or answer.get("result") is not None:
            return
        if call["method"] == "submitblock":
            header = bytes.fromhex(call["params"][0][: 2 * BLOCK_HEADER_SIZE])
            self.blocks[BlockHeader.decode(header).block_hash] += 1
        elif call["method"] == "configureminingpayouts":
            self.payouts += 1

    def _acknowledge(self, events: dict[str, Numbers], event_id: str, numbers: Numbers) -> None:
        if events.setdefault(event_id, numbers) != numbers:
            self.changed.append(f"event {event_id}: {events[event_id]}, then {numbers}")


@dataclass(frozen=True)
class LedgerView:
    """What the paymaker's ledger says, read from its file while the paymaker may run.

    posts, shares : as in `PoolRecord`
    packed        : accepted announcements as the second copy of the posts adds them up
    blocks        : hashes of block events
    won           : hashes of shares that are blocks
    """

    posts: dict[str, Numbers]
    shares: dict[str, Numbers]
    packed: int
    blocks: list[bytes]
    won: list[bytes]

    @classmethod
    def read(cls, folder: Path) -> "LedgerView":
        path = folder / "paymaker" / "ledger.sqlite"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            # One moment of the ledger: it is written to meanwhile.
            database.execute("BEGIN")
            rows = database.execute
            names = dict(rows("SELECT number, address FROM addresses"))
            posts = _numbers(
                rows(
                    "SELECT event_id, address, accepted, unsigned, target FROM announcement_posts"
                ),
                names,
            )
            shares = _numbers(rows("SELECT event_id, address, target, is_block FROM shares"), names)
            return cls(
                posts=posts,
                shares=shares,
                packed=sum(
                    _accepted(packed) for (packed,) in rows("SELECT rows FROM packed_posts")
                ),
                blocks=[block for (block,) in rows("SELECT hash FROM blocks")],
                won=[block for (block,) in rows("SELECT header_hash FROM shares WHERE is_block")],
            )

    @property
    def accepted(self) -> int:
        """Announcements in all posts."""
        return sum(int(numbers[1]) for numbers in self.posts.values())


def problems(record: PoolRecord, ledger: LedgerView, chain: set[bytes]) -> Iterator[str]:
    """Everything that is not as it must be, one line each.

    chain : hashes of the blocks in the chain now
    """
    yield from (f"acknowledged again otherwise: {text}" for text in record.changed)
    for kind, acknowledged, written in (
        ("post", record.posts, ledger.posts),
        ("share", record.shares, ledger.shares),
    ):
        for event_id, numbers in acknowledged.items():
            found = written.get(event_id)
            if found is None:
                yield f"{kind} {event_id} was acknowledged, and the ledger lacks it: {numbers}"
            elif found != numbers:
                yield f"{kind} {event_id} was acknowledged as {numbers}, the ledger says {found}"
    for event_id, numbers in ledger.posts.items():
        sent = record.bodies.get(event_id, 0)
        if int(numbers[1]) > sent:
            yield f"post {event_id} is paid {numbers}, but {sent} were sent"
    if ledger.accepted > record.distinct_announcements:
        yield (
            f"{ledger.accepted} announcements are paid, and {record.distinct_announcements} "
            "different ones were sent"
        )
    if ledger.packed != ledger.accepted:
        yield f"packed posts add up to {ledger.packed} announcements, posts to {ledger.accepted}"
    for block_hash in record.blocks:
        name = block_hash[::-1].hex()
        if block_hash not in chain:
            yield f"block {name} was acknowledged by the chain, which does not have it"
        if block_hash not in ledger.blocks:
            yield f"block {name} is in the chain, and the ledger lacks it"
    for name, count in Counter(block[::-1].hex() for block in ledger.won).items():
        if count > 1:
            yield f"block {name} was won {count} times"


def missing(record: PoolRecord, ledger: LedgerView) -> int:
    """How many acknowledged events are not in the ledger (yet)."""
    absent = len(record.posts.keys() - ledger.posts.keys())
    absent += len(record.shares.keys() - ledger.shares.keys())
    return absent + len(record.blocks.keys() - set(ledger.blocks))


def _numbers(rows: Any, names: dict[int, str]) -> dict[str, Numbers]:
    return {
        event_id.hex(): (names[address], *map(str, numbers)) for event_id, address, *numbers in rows
    }


def _accepted(packed: bytes) -> int:
    return int(np.frombuffer(packed, ANNOUNCEMENT_POST)["accepted"].sum())
