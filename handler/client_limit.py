"""How many requests of one client may be under way, so that none takes the room of all others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from packetcrypt.handler.client_address import Client
from packetcrypt.handler.http_answers import Overloaded


class CountsOverloaded(Protocol):
    """The statistics of a handler."""

    overloaded: int


class ClientLimit:
    """Counts the requests of each client from their head to their answer. Use on one event loop.

    Clients that cannot be told apart, because a proxy or this machine is all that is known of them,
    are not limited: the limit of one would be that of all.

    most       : requests of one client at a time
    statistics : where those that are refused are counted, as all others that are not taken
    refused    : how many were
    """

    def __init__(self, most: int, statistics: CountsOverloaded) -> None:
        self.refused = 0
        self._most = most
        self._statistics = statistics
        self._under_way: Counter[str] = Counter()

    @property
    def clients(self) -> int:
        """How many have a request under way, of those that are known."""
        return len(self._under_way)

    @contextmanager
    def counted(self, client: Client) -> Iterator[None]:
        """Around one request; raises `Overloaded` if its client has as many as it may."""
        if not client.is_known:
            yield
            return
        group = client.group
        if self._under_way[group] >= self._most:
            self.refused += 1
            self._statistics.overloaded += 1
            raise Overloaded
        self._under_way[group] += 1
        try:
            yield
        finally:
            self._under_way[group] -= 1
            if not self._under_way[group]:
                del self._under_way[group]  # or all who ever came would be remembered
