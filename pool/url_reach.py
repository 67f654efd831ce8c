"""Where a URL leads, as far as its text says: nobody is asked, so that a check needs no network."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import ip_address
from typing import Final, Self

from yarl import URL

_LOCAL_ENDINGS: Final = (".local", ".lan", ".internal", ".home.arpa", ".localdomain")
_DEFAULT_PORTS: Final = (80, 443)


class Reach(IntEnum):
    """From how far away a host can be reached."""

    NOWHERE = 0
    MACHINE = 1
    NETWORK = 2
    WORLD = 3

    @property
    def phrase(self) -> str:
        """For messages: "it can be reached …"."""
        return _PHRASES[self]


_PHRASES: Final = {
    Reach.NOWHERE: "from nowhere",
    Reach.MACHINE: "from its own machine only",
    Reach.NETWORK: "from its own network only",
    Reach.WORLD: "from everywhere",
}


def reach_of(host: str) -> Reach:
    """How far a name or an address reaches.

    A name without a dot is one of a local network, e.g. of containers; any other name is taken for
    one that everybody can look up.
    """
    try:
        address = ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return Reach.MACHINE
        is_local = "." not in name or name.endswith(_LOCAL_ENDINGS)
        return Reach.NETWORK if is_local else Reach.WORLD
    if address.is_unspecified:
        return Reach.NOWHERE
    if address.is_loopback:
        return Reach.MACHINE
    return Reach.WORLD if address.is_global else Reach.NETWORK


@dataclass(frozen=True)
class Place:
    """What of a URL says where it leads; equal ones lead to the same service."""

    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Reads a URL that `check_url` has accepted."""
        parsed = URL(url)
        return cls((parsed.host or "").lower(), parsed.port or 0, parsed.path.rstrip("/"))

    @property
    def reach(self) -> Reach:
        """How far its host reaches."""
        return reach_of(self.host)

    @property
    def is_behind_proxy(self) -> bool:
        """Whether the port is one that reverse proxies have, and services of a pool do not."""
        return self.port in _DEFAULT_PORTS
