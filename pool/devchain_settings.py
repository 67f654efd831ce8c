"""What can be set about a development chain, with its defaults and the reasons for them."""

from dataclasses import dataclass
from typing import ClassVar, Final

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.listen_address import listen_address
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.protocol.errors import ConfigError

_PARTS: Final = ("reorganise", "refuse", "drop", "delay")
_MAX_HEIGHT: Final = 1 << 30


@dataclass(frozen=True, kw_only=True)
class DevchainSettings:
    """The table `[devchain]` of pool.toml.

    pool, pktd      : the top level of the file, and its table [pktd], whose user and password are
                      asked for here
    bind            : "address:port" to listen at; the default is where pktd would, and [pktd] looks
    block_seconds   : how long a block should take
    set_size        : announcements that sets are going to have, if that is known: at first targets
                      reckon with half of what a set lacks. 0: sets stay as they are
    first_height    : of the first made-up block of a new chain. Above 103869, below which pktd
                      refuses announcements of version 1
    patience        : after so many times block_seconds without a block one is made up, and the next
                      is easier unless shares came: so miners that went away do not leave a chain
                      that nobody can continue. 0: never for this reason
    reorganise      : probability that a mined block is displaced by made-up ones afterwards
    refuse          : probability that a call is answered 503 and not carried out
    drop            : probability that a call gets no answer; half of these are carried out
    delay           : probability that a call is answered late, by
    delay_seconds   : so many seconds
    max_connections : open connections; more are closed at once
    idle_timeout    : seconds in which the head of a request must have come
    """

    pool: PoolSettings
    pktd: PktdSettings
    bind: str = "127.0.0.1:64765"
    block_seconds: float = 30.0
    set_size: int = 0
    first_height: int = 1_000_000
    patience: float = 4.0
    reorganise: float = 0.0
    refuse: float = 0.0
    drop: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 5.0
    max_connections: int = 256
    idle_timeout: float = 30.0

    private_bind: ClassVar[str] = ""
    """what is private is answered at `bind` too: nobody but developers reaches it"""

    def __post_init__(self) -> None:
        _ = self.address
        for name in _PARTS:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"{name} = {getattr(self, name)} is no probability: give a number from 0 to 1"
                )
        for name in ("block_seconds", "idle_timeout"):
            if not 0 < getattr(self, name) < 1e9:
                raise ConfigError(
                    f"{name} = {getattr(self, name)} cannot work: give seconds, more than 0"
                )
        for name in ("patience", "delay_seconds"):
            if not 0 <= getattr(self, name) < 1e9:
                raise ConfigError(
                    f"{name} = {getattr(self, name)} cannot work: give a number from 0 on"
                )
        if not 0 < self.first_height < _MAX_HEIGHT:
            raise ConfigError(
                f"first_height = {self.first_height} cannot work: give 1 to {_MAX_HEIGHT - 1}"
            )
        if self.set_size < 0:
            raise ConfigError(
                f"set_size = {self.set_size} cannot work: give a number of announcements, or 0"
            )
        if self.max_connections < 1:
            raise ConfigError(
                f"max_connections = {self.max_connections} cannot work: give 1 or more"
            )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `bind`; port 0 lets the system choose."""
        return listen_address(self.bind)
