"""What a block miner and a block handler say to each other, and handlers log (spec 2).

`POST <submitBlockUrl>` takes a `SharePost` and is answered with a `ShareReply`; its `ShareResult`
is also the pay log's event of type "share". A `BlockEvent` says that the chain has a new block.
"""

import json
from dataclasses import dataclass
from typing import Any

from packetcrypt.protocol.commitment import COMMITMENT_SIZE, BlockCommitment
from packetcrypt.protocol.difficulty import effective_target, work_of_compact
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import I32_MAX, U32_MAX, JsonFields
from packetcrypt.protocol.primitives import h32

_MAX_COUNT = 2**53 - 1
_U64_DIGITS = 20


@dataclass(frozen=True)
class SharePost:
    """The body of a post of one share.

    coinbase_commit  : 48 bytes (`commitment`)
    header_and_proof : 80-byte header with its nonce, then proof sections without an end marker
                       (`block_proof`)
    """

    coinbase_commit: bytes
    header_and_proof: bytes

    @classmethod
    def decode(cls, body: bytes | str) -> "SharePost":
        """Reads the JSON text; DecodeError names the field that is missing or not hexadecimal."""
        fields = JsonFields.parse(body, "share")
        return cls(
            coinbase_commit=fields.hex_bytes("coinbase_commit", COMMITMENT_SIZE),
            header_and_proof=fields.hex_bytes("header_and_proof"),
        )

    def encode(self) -> bytes:
        """The JSON text."""
        return json.dumps(
            {
                "coinbase_commit": self.coinbase_commit.hex(),
                "header_and_proof": self.header_and_proof.hex(),
            }
        ).encode()


@dataclass(frozen=True, kw_only=True)
class ShareResult:
    """What became of one share that was good; also the event in the handler's pay log.

    block       : whether it was a whole block
    time        : milliseconds since 1970
    event_id    : 32 hex digits (`share_event_id`)
    target      : compact target of shares in this work
    ann_count   : announcements in the set it was mined with
    ann_target  : what its commitment says is the largest compact target in the set ("annMinWork")
    encryptions : hashes times two that a share takes on average (`encryptions_of_share`)
    header_hash : 32 bytes, internal byte order; of a block only
    """

    pay_to: str
    block: bool
    time: int
    event_id: str
    target: int
    ann_count: int
    ann_target: int
    encryptions: int
    header_hash: bytes | None = None

    @classmethod
    def decode(cls, fields: JsonFields) -> "ShareResult":
        """Reads the `result` object of a reply, or a pay log event of type "share"."""
        _check_type(fields, "share")
        return cls(
            pay_to=fields.text("payTo"),
            block=fields.boolean("block"),
            time=fields.integer("time", 0, _MAX_COUNT),
            event_id=fields.hex_bytes("eventId", 16).hex(),
            target=fields.integer("target", 0, U32_MAX),
            ann_count=_decimal(fields, "annCount"),
            ann_target=fields.integer("annMinWork", 0, U32_MAX),
            encryptions=_whole(fields, "encryptions"),
            header_hash=None
            if fields.is_absent("headerHash")
            else fields.hex_bytes("headerHash", 32)[::-1],
        )

    def as_json(self) -> dict[str, Any]:
        """The object for `json.dumps`, e.g. one line of a pay log."""
        fields: dict[str, Any] = {
            "type": "share",
            "payTo": self.pay_to,
            "block": self.block,
            "time": self.time,
            "eventId": self.event_id,
            "target": self.target,
            "annCount": str(self.ann_count),
            "annMinWork": self.ann_target,
            "encryptions": self.encryptions,
        }
        if self.header_hash is not None:
            fields["headerHash"] = self.header_hash[::-1].hex()
        return fields


@dataclass(frozen=True)
class ShareReply:
    """A handler's reply to a share: warnings, errors, and the result if the share was good."""

    result: ShareResult | None
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @classmethod
    def decode(cls, body: bytes | str) -> "ShareReply":
        """Reads the reply; DecodeError names the field that is missing or not as specified."""
        fields = JsonFields.parse(body, "share reply")
        # An existing handler says "" where there is no result.
        is_empty = fields.is_absent("result") or fields.value("result") == ""
        return cls(
            result=None if is_empty else ShareResult.decode(fields.fields("result")),
            warnings=fields.texts("warn"),
            errors=fields.texts("error"),
        )

    def encode(self) -> bytes:
        """The JSON text."""
        result = "" if self.result is None else self.result.as_json()
        return json.dumps({"warn": self.warnings, "error": self.errors, "result": result}).encode()


@dataclass(frozen=True, kw_only=True)
class BlockEvent:
    """The pay log's event for a new block of the chain, whoever found it.

    hash : 32 bytes, internal byte order
    time : milliseconds since 1970
    """

    hash: bytes
    height: int
    difficulty: float
    time: int

    @property
    def event_id(self) -> str:
        """The same for every handler that logs this block."""
        return block_event_id(self.hash)

    @classmethod
    def decode(cls, fields: JsonFields) -> "BlockEvent":
        """Reads a pay log event of type "block"."""
        _check_type(fields, "block")
        event = cls(
            hash=fields.hex_bytes("hash", 32)[::-1],
            height=fields.integer("height", 0, I32_MAX),
            difficulty=fields.number("difficulty"),
            time=fields.integer("time", 0, _MAX_COUNT),
        )
        if (event_id := fields.hex_bytes("eventId", 16).hex()) != event.event_id:
            raise DecodeError(
                f'block event: field "eventId" must begin the hash, {event.event_id}, '
                f"got {event_id}"
            )
        return event

    def as_json(self) -> dict[str, Any]:
        """The object for `json.dumps`, one line of a pay log."""
        return {
            "type": "block",
            "hash": self.hash[::-1].hex(),
            "height": self.height,
            "difficulty": self.difficulty,
            "time": self.time,
            "eventId": self.event_id,
        }


def share_event_id(header: bytes, low_nonce: int) -> str:
    """The id under which a share is paid, 32 hex digits: shares of one header differ by it."""
    header_hash = h32(header)
    return (_mixed(header_hash, low_nonce).to_bytes(4, "little") + header_hash[4:16]).hex()


def block_event_id(block_hash: bytes) -> str:
    """The id under which a new block is logged, 32 hex digits: half of its hash as displayed.

    block_hash : 32 bytes, internal byte order
    """
    return block_hash[::-1].hex()[:32]


def share_handler(header: bytes, low_nonce: int, handlers: int) -> int:
    """Which of so many block handlers takes a share, counted from 0.

    header : 80 bytes, with its nonce
    """
    return _mixed(h32(header), low_nonce) % handlers


def encryptions_of_share(share_target: int, commitment: BlockCommitment) -> int:
    """Twice the hashes that a share takes on average with the committed set."""
    effective = effective_target(share_target, commitment.max_target, commitment.count)
    return 2 * work_of_compact(effective)


def _mixed(header_hash: bytes, low_nonce: int) -> int:
    return int.from_bytes(header_hash[:4], "little") ^ low_nonce


def _check_type(fields: JsonFields, kind: str) -> None:
    if (found := fields.text("type")) != kind:
        raise DecodeError(f'{kind} event: field "type" must be "{kind}", got {found[:60]!r}')


def _decimal(fields: JsonFields, name: str) -> int:
    text = fields.text(name)
    if not (text.isascii() and text.isdecimal()) or len(text) > _U64_DIGITS:
        raise DecodeError(
            f'share event: field "{name}" must be a decimal number, got {text[:60]!r}'
        )
    return int(text)


def _whole(fields: JsonFields, name: str) -> int:
    """A count so large that an existing handler, in JavaScript, may write it with an exponent."""
    number = fields.number(name)
    if number < 0:
        raise DecodeError(f'share event: field "{name}" must be 0 or more, got {number}')
    return int(number)
