"""What can be set about a handler, with its defaults and the reasons for them."""

import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from packetcrypt.client.http import check_url
from packetcrypt.handler.client_address import TrustedProxies
from packetcrypt.handler.listen_address import check_private_bind, listen_address
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.protocol.errors import ConfigError

SUBMIT_PATH = "/submit"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """The top level of pool.toml: what all services of a pool share.

    master_url             : where the pool's master is, e.g. "http://pool.example/master"
    root_workdir           : folder in which every service has its own; relative to pool.toml's
    paymaker_http_password : password of the HTTP Basic user `x` at the paymaker
    private_seed           : secret from which the pool's signing keys are made (spec 2 "Master");
                             "" if it has none
    trusted_proxies        : addresses and networks of the reverse proxies before the services. What
                             they forward as a client's address is believed, and nobody else
    """

    master_url: str
    root_workdir: Path
    paymaker_http_password: str = field(repr=False)
    private_seed: str = field(default="", repr=False)
    trusted_proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_url("master_url", self.master_url)
        _ = self.proxies

    @property
    def proxies(self) -> TrustedProxies:
        """`trusted_proxies`, read."""
        return TrustedProxies(self.trusted_proxies)


@dataclass(frozen=True, kw_only=True)
class HandlerSettings:
    """What is set about every handler, of announcements or of shares.

    pool, name          : the top level of the file, and NAME: letters, digits, "-" and "_"
    public_url          : where miners reach this handler, without /submit; the master lists it
                          with /submit
    bind                : "address:port" to listen at; the default expects a reverse proxy
    private_bind        : "address:port" where /metrics answers instead, and all else too; "": there
                          is no other
    max_connections     : open connections; more are closed at once. Each may hold a whole body
    request_timeout     : seconds in which a body must have come, or a file must have gone. 1 MiB in
                          60 s is 140 kbit/s: slower miners should send smaller batches
    idle_timeout        : seconds in which the head of a request must have come
    shutdown_timeout    : seconds in which the handler stops: it finishes the posts that it has
                          taken in, then it uploads the pay log
    poll_interval       : seconds between two looks at the master. Shorter than the 5 s of miners,
                          so that the handler knows a block before they mine on it
    master_timeout      : seconds in which the master must answer
    paylog_seconds      : a pay log file is closed and uploaded when so old (spec 2: a minute),
    paylog_bytes        : or so long: the paymaker takes one file as one request
    paymaker_timeout    : seconds in which the paymaker must answer an upload
    statistics_interval : seconds between two log lines of statistics
    """

    TABLE: ClassVar[str]
    """the handler's table is [TABLE.NAME]"""
    KIND: ClassVar[str]
    """what the handler is called in messages"""
    EXAMPLE_NAME: ClassVar[str]
    MASTERS_LIST: ClassVar[str]
    """field of config.json in which the master lists the handler"""

    pool: PoolSettings
    name: str
    public_url: str
    bind: str = "127.0.0.1:8081"
    private_bind: str = ""
    max_connections: int = 512
    request_timeout: float = 60.0
    idle_timeout: float = 30.0
    shutdown_timeout: float = 30.0
    poll_interval: float = 2.0
    master_timeout: float = 10.0
    paylog_seconds: float = 60.0
    paylog_bytes: int = 1 << 20
    paymaker_timeout: float = 30.0
    statistics_interval: float = 10.0

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"{self.name!r} cannot be the name of a handler, because its folder is named "
                'after it: use 1 to 64 letters, digits, "-" and "_"'
            )
        _check_url("public_url", self.public_url)
        if self.public_url.rstrip("/").endswith(SUBMIT_PATH):
            raise ConfigError(
                f'public_url = "{self.public_url}" ends in {SUBMIT_PATH}, which miners would then '
                f'ask for twice: give "{self.public_url.rstrip("/").removesuffix(SUBMIT_PATH)}"'
            )
        self._check_numbers()
        _ = self.address
        check_private_bind(self.bind, self.private_bind)

    @property
    def submit_url(self) -> str:
        """How the master must list this handler."""
        return self.public_url.rstrip("/") + SUBMIT_PATH

    @property
    def public_path(self) -> str:
        """The path of public_url without a slash at its end, e.g. "/ah0", or ""."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `bind`; port 0 lets the system choose."""
        return listen_address(self.bind)

    @property
    def workdir(self) -> Path:
        """This handler's own folder."""
        return self.pool.root_workdir / f"{self.TABLE}_{self.name}"

    def _check_numbers(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.name == "threads":
                if value < 0:
                    raise ConfigError(f"threads = {value} cannot work: give 0 (all) or more")
            elif setting.type is int and value < 1:
                raise ConfigError(f"{setting.name} = {value} cannot work: give 1 or more")
            elif setting.type is float and not 0 < value < 1e9:
                raise ConfigError(
                    f"{setting.name} = {value} cannot work: give seconds, more than 0"
                )


@dataclass(frozen=True, kw_only=True)
class AnnHandlerSettings(HandlerSettings):
    """One announcement handler: the table `[ann_handler.NAME]` of pool.toml.

    input_queue_len     : posts waiting to be checked; one more is answered `overloaded`. 256 full
                          ones are 256 MiB, and half a minute of work at 9000 announcements a second
    max_waiting_per_client : posts of one address (IPv6: /64) that are read, wait or are checked;
                          one more is answered `overloaded`, so that a single client cannot keep all
                          others out. 64 are a quarter of the queue, and six miners behind one
                          address. Unknown addresses (`Client.is_known`) have no limit
    files_to_keep       : the newest announcement files offered to block miners
    block_miner_passwd  : HTTP Basic password (user `x`) of these files; "" offers them to all
    devices             : what announcements are checked on: auto, numpy, cpu, gpu, P:D, part of a
                          name
    threads             : threads of a CPU device; 0 takes all
    check_batch         : announcements checked in one go, if so many wait. A device is faster on
                          more, but a reply waits for its whole batch
    file_announcements  : an announcement file is published when it holds so many (4096 are 4 MiB),
    file_seconds        : or when it is so old: block miners want announcements soon
    sprayer             : the table `[ann_handler.NAME.sprayer]`; without it nobody is sprayed at
    """

    TABLE = "ann_handler"
    KIND = "announcement handler"
    EXAMPLE_NAME = "ah0"
    MASTERS_LIST = "submitAnnUrls"

    input_queue_len: int = 256
    max_waiting_per_client: int = 64
    files_to_keep: int = 512
    block_miner_passwd: str = field(default="", repr=False)
    devices: str = "auto"
    threads: int = 0
    check_batch: int = 4096
    file_announcements: int = 4096
    file_seconds: float = 10.0
    sprayer: SprayerSettings | None = None


def _check_url(name: str, url: str) -> None:
    try:
        usable = not urlsplit(check_url(url)).query
    except ConfigError:
        usable = False
    if not usable:
        raise ConfigError(
            f'{name} = "{url}" is no HTTP URL: give the whole URL, e.g. "http://pool.example/x"'
        )
