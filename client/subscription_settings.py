"""Whom announcements are received from by UDP, with the defaults and the reasons for them."""

from dataclasses import dataclass, field

from packetcrypt.client.udp import Endpoint
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.sprayer_messages import MAX_SHARES

_ANY_PORT = Endpoint("0.0.0.0", 0)


@dataclass(frozen=True, kw_only=True)
class SubscriptionSettings:
    """Whom to receive from, and what it may cost.

    sprayers       : to subscribe to
    password       : theirs
    bind           : own address; port 0 lets the system choose, another is the first of `shares`
    shares         : sockets among which a sprayer divides what it sends, each with a buffer of its
                     own. Sprayers that do not divide send everything to the first
    group          : IPv4 multicast group to join too, on the interface that `bind` names
    receive_buffer : bytes of kernel memory asked for each socket; it grants net.core.rmem_max
    queue_capacity : announcements of 1 KiB that wait for whoever takes them
    """

    sprayers: tuple[Endpoint, ...] = ()
    password: str = field(default="", repr=False)
    bind: Endpoint = _ANY_PORT
    shares: int = 4
    group: Endpoint | None = None
    receive_buffer: int = 4 << 20
    queue_capacity: int = 65536

    def __post_init__(self) -> None:
        if not self.sprayers and self.group is None:
            raise ConfigError("nobody to receive from: name sprayers to subscribe to, or a group")
        if not 1 <= self.shares <= MAX_SHARES:
            raise ConfigError(f"{self.shares} shares cannot work: give 1 to {MAX_SHARES}")
        check_ports(self.bind, self.shares)
        if self.group is not None and not self.group.is_multicast:
            raise ConfigError(
                f'"{self.group}" is no IPv4 multicast group: give one from 224.0.0.0 to '
                '239.255.255.255, e.g. "239.77.0.1:6666"'
            )


def check_ports(bind: Endpoint, shares: int) -> None:
    """ConfigError unless so many ports from that of `bind` on exist; port 0 is any."""
    if bind.port and bind.port + shares > 65536:
        raise ConfigError(
            f'"{bind}" is the first of {shares} ports, which do not exist: give a port up to '
            f"{65536 - shares}, or 0 to let the system choose"
        )
