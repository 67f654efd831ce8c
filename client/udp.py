"""How UDP sockets are opened here, and what "host:port" means.

Linux can put datagrams of one sender together on receiving (`UDP_GRO`) and take them apart on
sending (`UDP_SEGMENT`): 63 records then cost one system call whatever the datagrams on the wire
are. Both are asked for and done without where there is none of it.
"""

import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from packetcrypt.protocol.errors import ConfigError

Address = tuple[Any, ...]
"""a socket address: (host, port) of IPv4, (host, port, flow, scope) of IPv6"""

# <linux/udp.h>, <linux/in.h>: Python's socket module does not name them.
SOL_UDP = 17
UDP_SEGMENT = 103
UDP_GRO = 104
_IP_MULTICAST_ALL = 49

_ENDPOINT = re.compile(r"(?:\[([^\[\]\s]+)\]|([^\[\]:\s]+)):([0-9]{1,5})", re.ASCII)


@dataclass(frozen=True)
class Endpoint:
    """A host, by name or address, and a port; written "host:port", IPv6 as "[::1]:port"."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, lowest_port: int = 1) -> "Endpoint":
        """Reads "host:port"; ConfigError says why another text is none."""
        found = _ENDPOINT.fullmatch(text)
        if found is None or not lowest_port <= int(found[3]) <= 65535:
            raise ConfigError(
                f'"{text}" is no UDP address: give "host:port" with a port from {lowest_port} to '
                '65535, e.g. "192.0.2.7:6666" or "[2001:db8::7]:6666"'
            )
        return cls(found[1] or found[2], int(found[3]))

    @property
    def is_multicast(self) -> bool:
        """Whether it is an IPv4 multicast group."""
        try:
            return IPv4Address(self.host).is_multicast
        except AddressValueError:
            return False

    def resolve(self, family: socket.AddressFamily) -> Address:
        """Its first address of a family; raises `OSError`. May take long for a name."""
        flags = socket.AI_V4MAPPED if family == socket.AF_INET6 else 0
        found = socket.getaddrinfo(
            self.host, self.port, family=family, type=socket.SOCK_DGRAM, flags=flags
        )
        return found[0][4]


def open_udp(bind: Endpoint, receive_buffer: int = 0) -> socket.socket:
    """A bound UDP socket; ConfigError if the address cannot be used.

    receive_buffer : bytes asked of the kernel, which grants at most `net.core.rmem_max`; 0 leaves
                     its default
    """
    try:
        family = socket.getaddrinfo(bind.host, bind.port, type=socket.SOCK_DGRAM)[0][0]
        udp = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise ConfigError(f'"{bind}" is no address to bind to: {error.strerror}') from error
    try:
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        else:
            # Otherwise a socket bound to 0.0.0.0 also gets what other programs' groups get.
            with suppress(OSError):
                udp.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        if receive_buffer:
            udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        udp.bind(bind.resolve(family))
    except OSError as error:
        udp.close()
        raise ConfigError(
            f'"{bind}": cannot receive UDP there ({error.strerror}): give an address of this '
            "machine and a port that is free"
        ) from error
    return udp


def receive_merged(udp: socket.socket) -> bool:
    """Asks for datagrams of one sender put together, up to 64 KiB; whether the kernel does it."""
    try:
        udp.setsockopt(SOL_UDP, UDP_GRO, 1)
    except OSError:
        return False
    return True


def join_group(udp: socket.socket, group: str, interface: str) -> None:
    """Joins an IPv4 multicast group on the interface with an address, "0.0.0.0": the default one.

    ConfigError if there is no such interface.
    """
    membership = struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(interface))
    try:
        udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError as error:
        raise ConfigError(
            f"cannot join the multicast group {group} ({error.strerror}): bind to the address of "
            "the network interface that the group is sent to"
        ) from error


def is_own_host(address: Address, family: socket.AddressFamily) -> bool:
    """Whether datagrams to an address stay on this machine."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
        # A machine talks to itself from the address it talks to.
        return bool(probe.getsockname()[0] == address[0])
