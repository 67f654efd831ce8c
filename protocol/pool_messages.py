"""What a pool's master and announcement handlers say over HTTP (spec 2).

Each message is a frozen dataclass with `decode` (strict: see json_fields) and `encode`. Hashes are
`bytes` in internal byte order; JSON has them in display order, the reverse.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import I32_MAX, U32_MAX, JsonFields
from packetcrypt.protocol.primitives import h32

POOL_VERSION = 3
SOFT_VERSION = 1
ANNOUNCEMENT_VERSION = 1

TRACKED_PARENTS = 6
"""The newest blocks: those that handlers take announcements for (spec 2 "Checks")."""

PAY_TO_HEADER = "x-pc-payto"
SOFT_VERSION_HEADER = "x-pc-sver"
ANNOUNCEMENT_VERSION_HEADER = "x-pc-annver"
WORK_NUMBER_HEADER = "x-pc-worknum"
SESSION_HEADER = "x-pc-sid"

_MAX_COUNT = 2**53 - 1


class MasterNotReadyError(DecodeError):
    """A config.json whose master has no work to offer yet: right in form, of no use for now."""


@dataclass(frozen=True)
class MasterConfig:
    """`GET /config.json`: where the pool's services are and what its announcements must be.

    tip_hash         : hash of the block at height current_height − 1, internal byte order
    current_height   : height of the block that is mined next
    submit_ann_urls  : announcement handlers; the order numbers them (spec 2 "Which handler")
    mine_old_anns    : how many blocks behind the tip announcements are mined for
    ann_target       : easiest work bits a handler takes, compact
    blkinfo_url      : where blkinfo_<hash>.json is, if not at the master itself
    """

    tip_hash: bytes
    current_height: int
    master_url: str
    submit_ann_urls: tuple[str, ...]
    download_ann_urls: tuple[str, ...]
    submit_block_urls: tuple[str, ...]
    paymaker_url: str
    mine_old_anns: int
    ann_target: int
    ann_versions: tuple[int, ...] = (ANNOUNCEMENT_VERSION,)
    version: int = POOL_VERSION
    soft_version: int = SOFT_VERSION
    blkinfo_url: str | None = None

    @classmethod
    def decode(cls, body: bytes | str) -> "MasterConfig":
        """Reads config.json; DecodeError names the field that is missing or not as specified.

        Existing masters that wait for their node say null where there is no tip and no target yet:
        `MasterNotReadyError`.
        """
        fields = JsonFields.parse(body, "config.json")
        version = fields.integer("version", 0, U32_MAX)
        if version != POOL_VERSION:
            raise DecodeError(
                f'config.json: field "version" is {version}, but this program speaks version '
                f"{POOL_VERSION} of the pool protocol only; look for a newer release of it"
            )
        for name in ("tipHash", "annTarget"):
            if fields.is_null(name):
                raise MasterNotReadyError(f'config.json: field "{name}" is null')
        return cls(
            tip_hash=fields.hex_bytes("tipHash", 32)[::-1],
            current_height=fields.integer("currentHeight", 0, I32_MAX),
            master_url=fields.text("masterUrl"),
            submit_ann_urls=fields.texts("submitAnnUrls"),
            download_ann_urls=fields.texts("downloadAnnUrls"),
            submit_block_urls=fields.texts("submitBlockUrls"),
            paymaker_url=fields.text("paymakerUrl"),
            mine_old_anns=fields.integer("mineOldAnns", 0, I32_MAX),
            ann_target=fields.integer("annTarget", 0, U32_MAX),
            ann_versions=fields.integers("annVersions", 0, U32_MAX),
            version=version,
            soft_version=fields.integer("softVersion", 0, U32_MAX),
            blkinfo_url=None if fields.is_absent("blkinfoUrl") else fields.text("blkinfoUrl"),
        )

    def encode(self) -> bytes:
        """The JSON text; blkinfoUrl is left out if there is none."""
        fields: dict[str, object] = {
            "currentHeight": self.current_height,
            "tipHash": self.tip_hash[::-1].hex(),
            "masterUrl": self.master_url,
            "submitAnnUrls": self.submit_ann_urls,
            "downloadAnnUrls": self.download_ann_urls,
            "submitBlockUrls": self.submit_block_urls,
            "paymakerUrl": self.paymaker_url,
            "version": self.version,
            "softVersion": self.soft_version,
            "annVersions": self.ann_versions,
            "mineOldAnns": self.mine_old_anns,
            "annTarget": self.ann_target,
        }
        if self.blkinfo_url is not None:
            fields["blkinfoUrl"] = self.blkinfo_url
        return json.dumps(fields).encode()


@dataclass(frozen=True)
class BlockInfo:
    """`GET /blkinfo_<hash>.json`: a block's header as the node tells it, and the pool's key for it.

    hash, merkle_root : 32 bytes, internal byte order
    previous_hash     : likewise; None for the genesis block
    time              : seconds since 1970
    bits              : compact target of the block
    signing_key       : key that announcements with this parent carry; None if the pool has none
    """

    hash: bytes
    height: int
    version: int
    merkle_root: bytes
    time: int
    nonce: int
    bits: int
    difficulty: float
    previous_hash: bytes | None
    signing_key: bytes | None = None

    @classmethod
    def decode(cls, body: bytes | str) -> "BlockInfo":
        """Reads blkinfo; DecodeError names the field that is missing or not as specified."""
        fields = JsonFields.parse(body, "blkinfo")
        key = None if fields.is_absent("sigKey") else fields.hex_bytes("sigKey", 32)
        return cls.of_header(fields.fields("header"), key)

    @classmethod
    def of_header(cls, header: JsonFields, signing_key: bytes | None = None) -> "BlockInfo":
        """Reads the header as a node's getblockheader gives it; DecodeError likewise."""
        is_first = header.is_absent("previousblockhash")
        return cls(
            hash=header.hex_bytes("hash", 32)[::-1],
            height=header.integer("height", 0, I32_MAX),
            version=header.integer("version", -I32_MAX - 1, U32_MAX),
            merkle_root=header.hex_bytes("merkleroot", 32)[::-1],
            time=header.integer("time", 0, U32_MAX),
            nonce=header.integer("nonce", 0, U32_MAX),
            bits=int.from_bytes(header.hex_bytes("bits", 4)),
            difficulty=header.number("difficulty"),
            previous_hash=None if is_first else header.hex_bytes("previousblockhash", 32)[::-1],
            signing_key=signing_key,
        )

    def encode(self) -> bytes:
        """The JSON text."""
        header: dict[str, object] = {
            "hash": self.hash[::-1].hex(),
            "height": self.height,
            "version": self.version,
            "versionHex": f"{self.version & U32_MAX:08x}",
            "merkleroot": self.merkle_root[::-1].hex(),
            "time": self.time,
            "nonce": self.nonce,
            "bits": f"{self.bits:08x}",
            "difficulty": self.difficulty,
        }
        if self.previous_hash is not None:
            header["previousblockhash"] = self.previous_hash[::-1].hex()
        key = None if self.signing_key is None else self.signing_key.hex()
        return json.dumps({"header": header, "sigKey": key}).encode()


@dataclass(frozen=True)
class AnnouncementPostHeaders:
    """The request headers of a post of announcements.

    work_number : height of the announcements' parent block + 1
    pay_to      : as it came; `address.check_payto` says whether a handler takes it
    """

    pay_to: str
    work_number: int
    soft_version: int = SOFT_VERSION
    announcement_version: int = ANNOUNCEMENT_VERSION

    @classmethod
    def decode(cls, headers: Mapping[str, str]) -> "AnnouncementPostHeaders":
        """Reads headers (a case-insensitive mapping); DecodeError names the one that is wrong."""
        return cls(
            pay_to=_required_header(headers, PAY_TO_HEADER),
            work_number=_integer_header(headers, WORK_NUMBER_HEADER),
            soft_version=_integer_header(headers, SOFT_VERSION_HEADER),
            announcement_version=_integer_header(headers, ANNOUNCEMENT_VERSION_HEADER),
        )

    def encode(self) -> dict[str, str]:
        """The headers as HTTP wants them."""
        return {
            PAY_TO_HEADER: self.pay_to,
            SOFT_VERSION_HEADER: str(self.soft_version),
            ANNOUNCEMENT_VERSION_HEADER: str(self.announcement_version),
            WORK_NUMBER_HEADER: str(self.work_number),
        }


@dataclass(frozen=True)
class AnnouncementPostResult:
    """What became of one post; also the event in the handler's pay log.

    accepted + duplicates + invalid + bad_hash = announcements sent. target is the easiest work
    bits among them, time is in milliseconds since 1970, total_length in bytes of content, event_id
    32 hex digits (see `post_event_id`).
    """

    pay_to: str
    accepted: int
    duplicates: int
    invalid: int
    bad_hash: int
    runt: int
    internal_errors: int
    unsigned: int
    total_length: int
    target: int
    time: int
    event_id: str

    @classmethod
    def decode(cls, fields: JsonFields) -> "AnnouncementPostResult":
        """Reads the `result` object of a reply, or a pay log event of type "anns"."""
        if (kind := fields.text("type")) != "anns":
            raise DecodeError(
                f'announcement post result: field "type" must be "anns", got {kind[:60]!r}'
            )
        return cls(
            pay_to=fields.text("payTo"),
            accepted=fields.integer("accepted", 0, U32_MAX),
            duplicates=fields.integer("dup", 0, U32_MAX),
            invalid=fields.integer("inval", 0, U32_MAX),
            bad_hash=fields.integer("badHash", 0, U32_MAX),
            runt=fields.integer("runt", 0, U32_MAX),
            internal_errors=fields.integer("internalErr", 0, U32_MAX),
            unsigned=fields.integer("unsigned", 0, U32_MAX),
            total_length=fields.integer("totalLen", 0, _MAX_COUNT),
            target=fields.integer("target", 0, U32_MAX),
            time=fields.integer("time", 0, _MAX_COUNT),
            event_id=fields.hex_bytes("eventId", 16).hex(),
        )

    def as_json(self) -> dict[str, Any]:
        """The object for `json.dumps`, e.g. one line of a pay log."""
        return {
            "type": "anns",
            "accepted": self.accepted,
            "dup": self.duplicates,
            "inval": self.invalid,
            "badHash": self.bad_hash,
            "runt": self.runt,
            "internalErr": self.internal_errors,
            "payTo": self.pay_to,
            "unsigned": self.unsigned,
            "totalLen": self.total_length,
            "target": self.target,
            "time": self.time,
            "eventId": self.event_id,
        }


@dataclass(frozen=True)
class AnnouncementPostReply:
    """A handler's reply to a post: warnings, errors, and the result if it was processed."""

    result: AnnouncementPostResult | None
    warnings: tuple[str, ...] = field(default=())
    errors: tuple[str, ...] = field(default=())

    @classmethod
    def decode(cls, body: bytes | str) -> "AnnouncementPostReply":
        """Reads the reply; DecodeError names the field that is missing or not as specified."""
        fields = JsonFields.parse(body, "announcement post reply")
        return cls(
            result=None
            if fields.is_absent("result")
            else AnnouncementPostResult.decode(fields.fields("result")),
            warnings=fields.texts("warn"),
            errors=fields.texts("error"),
        )

    def encode(self) -> bytes:
        """The JSON text."""
        result = None if self.result is None else self.result.as_json()
        return json.dumps({"warn": self.warnings, "error": self.errors, "result": result}).encode()


def post_event_id(body: bytes) -> str:
    """The id under which a post is paid: the first 16 bytes of H32(body), in hex."""
    return h32(body)[:16].hex()


def _required_header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise DecodeError(f"header {name} is missing")
    return value


def _integer_header(headers: Mapping[str, str], name: str) -> int:
    text = _required_header(headers, name)
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > U32_MAX:
        raise DecodeError(
            f"header {name} must be an integer from 0 to {U32_MAX}, got {text[:60]!r}"
        )
    return int(text)
