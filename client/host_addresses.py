"""At which addresses named hosts are, asked again now and then without holding anybody up."""

import socket
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.udp import Address, Endpoint

LOOKUP_INTERVAL = 60.0
"""Seconds from one look-up of a name to the next; an address needs none."""


class HostAddresses:
    """The addresses of UDP endpoints, as far as they are known.

    known : replaced as a whole when it changes, so that any thread may read it
    """

    def __init__(
        self, endpoints: Iterable[Endpoint], family: socket.AddressFamily, complaints: Complaints
    ) -> None:
        self.known: Mapping[Endpoint, Address] = MappingProxyType({})
        self._family = family
        self._complaints = complaints
        self._stopping = threading.Event()
        endpoints = tuple(endpoints)
        self._names = tuple(endpoint for endpoint in endpoints if not _is_numeric(endpoint))
        for endpoint in endpoints:
            if endpoint not in self._names:
                self._look_up(endpoint)
        if self._names:
            # A daemon: a name server that does not answer must not hold up the program's end.
            threading.Thread(target=self._run, name="sprayer-names", daemon=True).start()

    def close(self) -> None:
        """No more look-ups; one under way is left to itself."""
        self._stopping.set()

    def _run(self) -> None:
        while True:
            for endpoint in self._names:
                self._look_up(endpoint)
            if self._stopping.wait(LOOKUP_INTERVAL):
                return

    def _look_up(self, endpoint: Endpoint) -> None:
        subject = ("address", str(endpoint))
        try:
            address = endpoint.resolve(self._family)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            self._complaints.report(
                subject,
                f"{endpoint} has no address that UDP can reach from here ({reason}); "
                f"names are looked up again every {LOOKUP_INTERVAL:g} s",
            )
            return
        self._complaints.resolve(subject, f"{endpoint} has the address {address[0]}")
        if self.known.get(endpoint) != address:
            self.known = MappingProxyType({**self.known, endpoint: address})


def _is_numeric(endpoint: Endpoint) -> bool:
    try:
        socket.getaddrinfo(endpoint.host, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return False
    return True
