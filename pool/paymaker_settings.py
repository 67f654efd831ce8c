"""What can be set about a pool's paymaker, with its defaults and the reasons for them."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from packetcrypt.client.http import check_url
from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.listen_address import check_private_bind, listen_address
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.pool.paymaker_body import canonical_address
from packetcrypt.pool.payout_split import PayoutRules
from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.errors import ConfigError, DecodeError

_COUNTS: Final = ("max_body", "max_connections")
_SECONDS: Final = (
    "update_cycle",
    "history",
    "request_timeout",
    "idle_timeout",
    "statistics_interval",
)


@dataclass(frozen=True, kw_only=True)
class PaymakerSettings:
    """The table `[paymaker]` of pool.toml.

    pool, pktd              : the top level of the file, and its table [pktd]
    default_address         : gets what nobody earned: all of it in the beginning
    error_address           : gets everything while the payout cannot be computed, or the node
                              refuses it
    pool_fee                : part of the payout that the pool keeps, 0..1
    pool_fee_address        : who gets the fee; needed if there is one
    block_payout_fraction   : part of the payout (after the fee) for shares; the rest is for
                              announcements
    pplns_blk_constant_x    : a share is paid its credits ÷ this. With the default and half of the
                              payout for shares, the newest shares worth 1 block are paid
    pplns_ann_constant_x    : likewise for announcements. They are many, so that a window of 1/16 of
                              a block's work suffices, and a miner who begins is soon paid fully
    update_cycle            : seconds between two payouts told to the node
    history                 : seconds that the memory reaches back; two days. The ledger keeps all
    public_url              : what the master has as paymaker_url, if a reverse proxy leaves its
                              path in the requests; "" if not
    bind                    : "address:port" to listen at; the default expects a reverse proxy
    private_bind            : "address:port" where /events and /metrics answer instead, and all
                              else too; "": there is no other
    max_body                : bytes of one pay log. 32 MiB are 100 000 events
    max_connections         : open connections; more are closed at once
    request_timeout         : seconds in which a body must have come
    idle_timeout            : seconds in which the head of a request must have come
    statistics_interval     : seconds between two log lines of statistics
    """

    pool: PoolSettings
    pktd: PktdSettings
    default_address: str
    error_address: str
    pool_fee: float = 0.0
    pool_fee_address: str = ""
    block_payout_fraction: float = 0.5
    pplns_blk_constant_x: float = 2.0
    pplns_ann_constant_x: float = 0.125
    update_cycle: float = 120.0
    history: float = 172_800.0
    public_url: str = ""
    bind: str = "127.0.0.1:8082"
    private_bind: str = ""
    max_body: int = 32 << 20
    max_connections: int = 256
    request_timeout: float = 60.0
    idle_timeout: float = 30.0
    statistics_interval: float = 60.0

    def __post_init__(self) -> None:
        _ = self.address
        check_private_bind(self.bind, self.private_bind)
        if self.public_url:
            self._check_public_url()
        for name in ("default_address", "error_address"):
            self._check_address(name)
        if self.pool_fee or self.pool_fee_address:
            self._check_address("pool_fee_address")
        if not 0 <= self.pool_fee < 1:
            raise ConfigError(
                f"pool_fee = {self.pool_fee} cannot work: give a part from 0 to below 1, "
                "e.g. 0.01 for one hundredth"
            )
        if not 0 <= self.block_payout_fraction <= 1:
            raise ConfigError(
                f"block_payout_fraction = {self.block_payout_fraction} cannot work: give 0 to 1"
            )
        self._check_numbers()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `bind`; port 0 lets the system choose."""
        return listen_address(self.bind)

    @property
    def public_path(self) -> str:
        """The path of public_url without a slash at its end, e.g. "/paymaker", or ""."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def workdir(self) -> Path:
        """The paymaker's own folder."""
        return self.pool.root_workdir / "paymaker"

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.workdir / "ledger.sqlite"

    @property
    def history_milliseconds(self) -> int:
        """`history`, in the unit of events."""
        return round(self.history * 1000)

    @property
    def rules(self) -> PayoutRules:
        """How a payout is split."""
        return PayoutRules(
            default_address=canonical_address(self.default_address),
            pool_fee=self.pool_fee,
            pool_fee_address=canonical_address(self.pool_fee_address),
            block_part=self.block_payout_fraction,
            block_constant=self.pplns_blk_constant_x,
            announcement_constant=self.pplns_ann_constant_x,
        )

    def _check_public_url(self) -> None:
        try:
            check_url(self.public_url)
        except ConfigError as error:
            raise ConfigError(f'public_url = "{self.public_url}": {error}') from error

    def _check_address(self, name: str) -> None:
        value = getattr(self, name)
        try:
            parse_address(value)
        except DecodeError as error:
            raise ConfigError(f'{name} = "{value}": {error}') from error

    def _check_numbers(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.name in _COUNTS and value < 1:
                raise ConfigError(f"{setting.name} = {value} cannot work: give 1 or more")
            if setting.name in _SECONDS and not 0 < value < 1e9:
                raise ConfigError(
                    f"{setting.name} = {value} cannot work: give seconds, more than 0"
                )
            if setting.name.startswith("pplns_") and not 0 < value < 1e9:
                raise ConfigError(
                    f"{setting.name} = {value} cannot work: give credits, more than 0"
                )
