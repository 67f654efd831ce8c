"""What a block miner is told."""

from dataclasses import dataclass, field
from enum import StrEnum

from packetcrypt.client.http import check_url
from packetcrypt.client.subscription_settings import SubscriptionSettings
from packetcrypt.client.udp import Endpoint
from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.errors import ConfigError, DecodeError

MIN_MEMORY_MB = 16
_MAX_MEMORY_MB = 1 << 24
_MAX_THREADS = 4096
_MAX_DOWNLOADERS = 1024
_MAX_UPLOADERS = 256
_MAX_TIMEOUT = 3600


class AnnouncementTrust(StrEnum):
    """How far handlers are trusted to give valid announcements.

    One invalid announcement in the set spoils every share that uses it.
    """

    NONE = "none"
    """check every announcement before it is mined with: no share can be spoiled"""
    SAMPLE = "sample"
    """check some of each delivery, and all that a handler gives once one was invalid"""
    ALL = "all"
    """check nothing: for handlers of one's own, which have checked them already"""


@dataclass(frozen=True, kw_only=True)
class BlockMinerSettings:
    """Everything that `packetcrypt blk` can be told. Raises `ConfigError` for what cannot work.

    pool           : the pool's master URL
    payment_addr   : PKT address that the pool pays to
    threads        : cores that CPU devices use; None for all of them
    memory_mb      : memory for announcements, MiB
    downloaders    : downloads of announcement files at a time, of all handlers together
    min_free       : part of the memory that is kept free for new announcements, 0 to 0.9
    upload_timeout : seconds after which an upload of a share counts as failed
    uploaders      : uploads of shares at a time
    handler_pass   : the pool's password for block miners; "" for none
    sprayers       : "host:port" of the UDP sprayers to subscribe to
    bind           : "address:port" at which sprayed announcements arrive; port 0: any
    sprayer_shares : sockets among which a sprayer divides what it sends
    mcast          : "group:port" that announcements are sprayed to; "" for none
    trust          : see `AnnouncementTrust`
    devices        : device selections (design §1), e.g. "gpu", "numpy", "0:1"; "auto" by default
    """

    pool: str
    payment_addr: str
    threads: int | None = None
    memory_mb: int = 4096
    downloaders: int = 30
    min_free: float = 0.1
    upload_timeout: float = 30.0
    uploaders: int = 4
    handler_pass: str = field(default="", repr=False)
    sprayers: tuple[str, ...] = ()
    bind: str = "0.0.0.0:0"
    sprayer_shares: int = 4
    mcast: str = ""
    trust: AnnouncementTrust = AnnouncementTrust.NONE
    devices: tuple[str, ...] = ("auto",)

    def __post_init__(self) -> None:
        try:
            parse_address(self.payment_addr)
        except DecodeError as error:
            raise ConfigError(f"payment address: {error}") from error
        check_url(self.pool)
        if self.threads is not None:
            _check_range("threads", self.threads, 1, _MAX_THREADS)
        _check_range("memory (MB)", self.memory_mb, MIN_MEMORY_MB, _MAX_MEMORY_MB)
        _check_range("downloaders", self.downloaders, 1, _MAX_DOWNLOADERS)
        _check_range("minimum free fraction", self.min_free, 0, 0.9)
        _check_range("upload timeout", self.upload_timeout, 1, _MAX_TIMEOUT)
        _check_range("uploaders", self.uploaders, 1, _MAX_UPLOADERS)
        _ = self.subscription  # refuses what cannot be received from
        if not self.devices:
            raise ConfigError('devices: the list is empty, give at least one, e.g. "auto"')

    @property
    def subscription(self) -> SubscriptionSettings | None:
        """From whom to receive over UDP; None if from nobody."""
        if not self.sprayers and not self.mcast:
            return None
        return SubscriptionSettings(
            sprayers=tuple(map(Endpoint.parse, self.sprayers)),
            password=self.handler_pass,
            bind=Endpoint.parse(self.bind, lowest_port=0),
            shares=self.sprayer_shares,
            group=Endpoint.parse(self.mcast) if self.mcast else None,
        )


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}, but it must be from {low:g} to {high:g}")
