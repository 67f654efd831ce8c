"""What can be set about a pool's master, with its defaults and the reasons for them."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from packetcrypt.client.http import check_url
from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.listen_address import check_private_bind, listen_address
from packetcrypt.handler.settings import SUBMIT_PATH, PoolSettings
from packetcrypt.protocol.difficulty import MAX_COMPACT, min_ann_target_ok
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.pool_messages import TRACKED_PARENTS

_NAME_LENGTH: Final = 80
"""characters of a pool's name: one line on a desk, three on a phone"""


@dataclass(frozen=True, kw_only=True)
class MasterSettings:
    """The table `[master]` of pool.toml.

    pool, pktd         : the top level of the file, and its table [pktd]
    ann_handlers       : public URLs of the [ann_handler.…] tables, in the order of the file, which
                         numbers the handlers: appending is safe, moving sends announcements astray
    block_handlers     : likewise of the [block_handler.…] tables
    paymaker_url       : where handlers upload pay logs
    bind               : "address:port" to listen at; the default expects a reverse proxy
    private_bind       : "address:port" where /metrics answers instead, and all else too; "": there
                         is no other
    ann_target         : easiest work bits of announcements that the pool takes, compact. The
                         default is difficulty 128; the easier, the more announcements there are to
                         be checked, stored and sent about
    share_work_divisor : a share has a divisor-th of a block's work; because effective work goes
                         with the cube, 4 gives about 64 shares a block
    mine_old_anns      : how many blocks behind the tip announcements are mined for
    poll_interval      : seconds between two questions to pktd for a new block, which it answers
                         from memory. Miners learn of a block so much later
    page               : whether the master serves the pool's page, for people
    pool_name          : what the page calls the pool
    page_live_clients  : browsers that are shown changes as they come; more get the page as it is.
                         Each holds a connection, so that they must not take those of miners
    max_connections    : open connections; more are closed at once. A miner that waits for new work
                         holds one
    idle_timeout       : seconds in which the head of a request must have come
    """

    pool: PoolSettings
    pktd: PktdSettings
    ann_handlers: tuple[str, ...] = ()
    block_handlers: tuple[str, ...] = ()
    paymaker_url: str
    bind: str = "127.0.0.1:8080"
    private_bind: str = ""
    ann_target: int = 0x2001FFFF
    share_work_divisor: int = 4
    mine_old_anns: int = 0
    poll_interval: float = 0.25
    page: bool = True
    pool_name: str = "PacketCrypt pool"
    page_live_clients: int = 512
    max_connections: int = 8192
    idle_timeout: float = 30.0

    def __post_init__(self) -> None:
        _ = self.address
        check_private_bind(self.bind, self.private_bind)
        try:
            check_url(self.paymaker_url)
        except ConfigError as error:
            raise ConfigError(f'paymaker_url = "{self.paymaker_url}": {error}') from error
        if not min_ann_target_ok(self.ann_target):
            raise ConfigError(
                f"ann_target = {self.ann_target:#x} is a target that no announcement can have: "
                f"give a compact target up to {MAX_COMPACT:#x}, e.g. 0x2001ffff for difficulty 128"
            )
        if not 1 <= self.share_work_divisor <= 1 << 16:
            raise ConfigError(
                f"share_work_divisor = {self.share_work_divisor} cannot work: give 1 to 65536"
            )
        if not 0 <= self.mine_old_anns < TRACKED_PARENTS:
            raise ConfigError(
                f"mine_old_anns = {self.mine_old_anns} cannot work: handlers take announcements "
                f"for the last {TRACKED_PARENTS} blocks only, give 0 to {TRACKED_PARENTS - 1}"
            )
        if not 1 <= len(self.pool_name.strip()) <= _NAME_LENGTH:
            raise ConfigError(
                f'pool_name = "{self.pool_name[:_NAME_LENGTH]}" cannot stand on a page: give 1 to '
                f"{_NAME_LENGTH} characters"
            )
        if self.page_live_clients < 1:
            raise ConfigError(
                f"page_live_clients = {self.page_live_clients} cannot work: give 1 or more, or "
                "page = false for a master without pages"
            )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `bind`; port 0 lets the system choose."""
        return listen_address(self.bind)

    @property
    def public_path(self) -> str:
        """The path of master_url without a slash at its end, e.g. "/master", or ""."""
        return urlsplit(self.pool.master_url).path.rstrip("/")

    @property
    def submit_ann_urls(self) -> tuple[str, ...]:
        """Where announcements are posted to."""
        return tuple(url.rstrip("/") + SUBMIT_PATH for url in self.ann_handlers)

    @property
    def download_ann_urls(self) -> tuple[str, ...]:
        """Where block miners get announcements from."""
        return tuple(url.rstrip("/") for url in self.ann_handlers)

    @property
    def submit_block_urls(self) -> tuple[str, ...]:
        """Where shares are posted to."""
        return tuple(url.rstrip("/") + SUBMIT_PATH for url in self.block_handlers)
