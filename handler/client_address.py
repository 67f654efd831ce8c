"""Which client a request comes from, with reverse proxies in between.

A proxy appends the address that it was asked from to X-Forwarded-For; whatever else the header
says, its client may have made up. So it is read from the right, and only as far as those who wrote
it are proxies that the settings name.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

from packetcrypt.protocol.errors import ConfigError

Address = IPv4Address | IPv6Address

FORWARDED_FOR: Final = "X-Forwarded-For"

_MOST_PROXIES: Final = 16
"""entries that are looked at, however many a client sends"""
_ENTRY: Final = re.compile(
    r"(?:(?P<v4>[0-9.]{7,15})|\[(?P<boxed>[0-9A-Fa-f:.]{2,45})(?:%[\w.~-]{1,32})?\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"|(?P<v6>[0-9A-Fa-f:.]{2,45})(?:%[\w.~-]{1,32})?",
    re.ASCII,
)
_HOST_BITS: Final = 64
"""of an IPv6 address: one host usually has as many addresses as it likes in its network"""


@dataclass(frozen=True)
class Client:
    """Who asks.

    address  : "" if it is not known
    is_known : whether this is one client: it is not if its address is that of a proxy, or of this
               machine, where a proxy may be that the settings do not name
    """

    address: str
    is_known: bool

    @property
    def group(self) -> str:
        """The address, or an IPv6 address's network of /64: what one host has to itself."""
        address = ip_address(self.address)
        if isinstance(address, IPv6Address):
            return str(IPv6Network((address, 128 - _HOST_BITS), strict=False))
        return self.address


class TrustedProxies:
    """The proxies whose X-Forwarded-For is believed.

    networks : addresses, or networks as "10.0.0.0/8"; ConfigError if one is neither
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(map(_network, networks))

    def client_of(self, request: web.Request) -> Client:
        """Who sent a request."""
        peer = read_address(request.remote or "")
        if peer is None:
            return Client("", is_known=False)
        return self.client(peer, request.headers.getall(FORWARDED_FOR, ()))

    def client(self, peer: Address, header_lines: Sequence[str]) -> Client:
        """Who sent a request that came from `peer` with these lines of X-Forwarded-For."""
        address = peer
        entries = ",".join(header_lines).rsplit(",", _MOST_PROXIES)[-_MOST_PROXIES:]
        while entries and self._names(address):
            before = read_address(entries.pop().strip(" \t"))
            if before is None:
                break  # written by a proxy, but no address: nobody before it can be told
            address = before
        is_known = not address.is_loopback and not self._names(address)
        return Client(str(address), is_known)

    def _names(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def read_address(text: str) -> Address | None:
    """An IP address, perhaps with a port or a zone, which are dropped; None if it is anything else.

    An IPv4 address in an IPv6 one is that IPv4 address.
    """
    match = _ENTRY.fullmatch(text)
    if match is None or int(match["port"] or 0) > 65535:
        return None
    try:
        address = ip_address(match["v4"] or match["boxed"] or match["v6"])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(
            f'trusted_proxies = "{text}" is no address or network ({error}): give the addresses '
            'that the reverse proxies ask from, e.g. ["127.0.0.1", "10.1.0.0/16"]'
        ) from error
