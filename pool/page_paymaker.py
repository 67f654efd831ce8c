"""What a paymaker's answers say, for the pool's pages (spec 2 "Paymaker").

The answers come from another program, maybe another implementation: what the protocol names is
required, and what only ours says may be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import I32_MAX, JsonFields

_MAX_COUNT: Final = 2**53 - 1


@dataclass(frozen=True)
class MinerReport:
    """What one address does on one side.

    kbps      : thousands of bits of announcements a second; 0 of block miners
    last_seen : milliseconds since 1970
    credits   : in the window that is paid
    warmup    : part of the window that it has been there, 0..1; None of block miners
    """

    kbps: float
    encryptions: float
    last_seen: int
    credits: float
    warmup: float | None = None


@dataclass(frozen=True)
class PaidSide:
    """Credits of one address on one side, and their part of the payout after the fee."""

    credits: float
    share: float


@dataclass(frozen=True)
class PaidFor:
    """Why an address is paid; `payable` is false for a name that is no address."""

    payable: bool
    blocks: PaidSide
    announcements: PaidSide


@dataclass(frozen=True)
class PaymakerReport:
    """`GET /whotopay`.

    kbps, encryptions : of all miners, a second
    *_per_hour        : blocks of the chain, and of this pool
    *_warmup          : seconds that the paid window of a side reaches back
    generated         : milliseconds since 1970, as all times
    payout            : fractions by address
    why               : by name; None: the paymaker does not say it, nor the two addresses
    """

    kbps: float
    encryptions: float
    blocks_per_hour: float
    wins_per_hour: float
    announcement_warmup: float
    block_warmup: float
    generated: int
    latest_payout: int | None
    last_won: str | None
    last_won_time: int | None
    announcement_miners: Mapping[str, MinerReport]
    block_miners: Mapping[str, MinerReport]
    announcement_miner_count: int
    block_miner_count: int
    payout: Mapping[str, float]
    pool_fee: float
    why: Mapping[str, PaidFor] | None
    fee_address: str | None
    default_address: str | None

    @classmethod
    def decode(cls, body: bytes) -> "PaymakerReport":
        """Reads the JSON text; DecodeError names the field that is missing or not as specified."""
        fields = JsonFields.parse(body, "whotopay")
        payout = fields.fields("result")
        return cls(
            kbps=_amount(fields, "totalKbps"),
            encryptions=_amount(fields, "totalEncryptionsPerSecond"),
            blocks_per_hour=_amount(fields, "blocksPerHour"),
            wins_per_hour=_amount(fields, "winsPerHour"),
            announcement_warmup=_amount(fields, "annPayoutWarmupPeriod"),
            block_warmup=_amount(fields, "blkPayoutWarmupPeriod"),
            generated=_time(fields, "generatedAt"),
            latest_payout=_optional_time(fields, "latestPayout"),
            last_won=_optional_hash(fields, "lastWonBlock"),
            last_won_time=_optional_time(fields, "lastWonBlockTime"),
            announcement_miners=_miners(fields.fields("annMinerStats"), is_announcing=True),
            block_miners=_miners(fields.fields("blkMinerStats"), is_announcing=False),
            announcement_miner_count=fields.integer("annMiners", 0, _MAX_COUNT),
            block_miner_count=fields.integer("blockMiners", 0, _MAX_COUNT),
            payout={name: _amount(payout, name) for name in sorted(payout.names())},
            pool_fee=_amount(fields, "poolFee"),
            why=None if fields.is_absent("why") else _reasons(fields.fields("why")),
            fee_address=_optional_text(fields, "poolFeeAddress"),
            default_address=_optional_text(fields, "defaultAddress"),
        )


@dataclass(frozen=True)
class ListedBlock:
    """One block of `GET /blocks`; hash as it is displayed.

    height : None if no handler has seen it in the chain
    finder : None if another pool found it
    """

    height: int | None
    hash: str | None
    time: int
    finder: str | None
    is_displaced: bool


def decode_blocks(body: bytes) -> tuple[ListedBlock, ...]:
    """Reads the answer to `GET /blocks`, newest first; DecodeError says what it is instead."""
    return tuple(
        ListedBlock(
            height=None if block.is_absent("height") else block.integer("height", 0, I32_MAX),
            hash=_optional_hash(block, "hash"),
            time=_time(block, "time"),
            finder=_optional_text(block, "finder"),
            is_displaced=not block.is_absent("displaced") and block.boolean("displaced"),
        )
        for block in JsonFields.parse(body, "blocks").objects("blocks")
    )


def _miners(fields: JsonFields, *, is_announcing: bool) -> dict[str, MinerReport]:
    miners = {}
    for name in fields.names():
        miner = fields.fields(name)
        miners[name] = MinerReport(
            kbps=_amount(miner, "kbps") if is_announcing else 0.0,
            encryptions=_amount(miner, "currentEncryptionsPerSecond"),
            last_seen=_time(miner, "lastSeen"),
            credits=_amount(miner, "credits"),
            warmup=min(1.0, _amount(miner, "warmupPercent") / 100) if is_announcing else None,
        )
    return miners


def _reasons(fields: JsonFields) -> dict[str, PaidFor]:
    reasons = {}
    for name in fields.names():
        reason = fields.fields(name)
        blocks, announcements = (
            PaidSide(_amount(side, "credits"), _amount(side, "share"))
            for side in (reason.fields("blocks"), reason.fields("announcements"))
        )
        reasons[name] = PaidFor(reason.boolean("payable"), blocks, announcements)
    return reasons


def _amount(fields: JsonFields, name: str) -> float:
    if (number := fields.number(name)) < 0:
        raise DecodeError(f'field "{name}" of the paymaker must be 0 or more, got {number}')
    return number


def _time(fields: JsonFields, name: str) -> int:
    return fields.integer(name, 0, _MAX_COUNT)


def _optional_time(fields: JsonFields, name: str) -> int | None:
    return None if fields.is_absent(name) else _time(fields, name)


def _optional_text(fields: JsonFields, name: str) -> str | None:
    return None if fields.is_absent(name) else fields.text(name)


def _optional_hash(fields: JsonFields, name: str) -> str | None:
    return None if fields.is_absent(name) else fields.hex_bytes(name, 32).hex()
