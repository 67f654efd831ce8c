"""The other end of the sprayer's datagrams, as a bare UDP socket on loopback."""

import socket
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from packetcrypt.client.sprayer_subscription import SprayerSubscription
from packetcrypt.client.udp import Endpoint
from packetcrypt.protocol.sprayer_messages import RECORD_DTYPE, RECORD_SIZE, Subscription

PASSWORD = "spray"
PATIENCE = 30.0
"""seconds after which a test gives up waiting"""

Address = tuple[str, int]


def made_up_announcements(count: int, seed: int = 1) -> npt.NDArray[np.uint8]:
    """(count, 1024) different announcements that no check has seen."""
    return np.random.default_rng(seed).integers(0, 256, (count, 1024), dtype=np.uint8)


def joined_records(counters: Iterable[int], announcements: npt.NDArray[np.uint8]) -> bytes:
    """A datagram of records."""
    records = np.zeros(len(announcements), RECORD_DTYPE)
    records["counter"] = list(counters)
    records["announcement"] = announcements
    return records.tobytes()


def receive_all(subscription: SprayerSubscription, count: int) -> npt.NDArray[np.uint8]:
    """The next `count` announcements; fails when none comes any more."""
    received = np.empty((0, 1024), np.uint8)
    while len(received) < count:
        more = subscription.get(PATIENCE)
        assert len(more), f"only {len(received)} of {count} announcements came"
        received = np.concatenate([received, more])
    return received


def wait_until(is_so: Callable[[], bool]) -> None:
    """Polls something that another thread brings about."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it did not become so in time"
        time.sleep(0.005)


def free_ports() -> int:
    """The first of two neighbouring UDP ports of loopback that are free."""
    while True:
        with Peer() as first:
            port = first.address[1]
            try:
                with Peer(port=port + 1):
                    return port
            except (OSError, OverflowError):
                continue


class Peer:
    """A sprayer or a subscriber of which a test sees and decides every datagram."""

    def __init__(self, port: int = 0, receive_buffer: int = 4 << 20) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.udp.bind(("127.0.0.1", port))
        self.udp.settimeout(PATIENCE)
        self.address: Address = self.udp.getsockname()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.udp.close()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(*self.address)

    def subscribe(self, port: int, number: int = 0, count: int = 1, passwd: str = PASSWORD) -> None:
        """Asks a sprayer on loopback for a share."""
        self.udp.sendto(Subscription(passwd, number, count).encode(), ("127.0.0.1", port))

    def multicast_from(self, interface: str) -> None:
        """What is sent to groups leaves by the interface with this address."""
        self.udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))

    def next_subscription(self) -> tuple[Subscription, Address]:
        """What a subscriber asks for, and from where."""
        datagram, sender = self.udp.recvfrom(65536)
        return Subscription.decode(datagram), sender

    def receive(self, count: int) -> tuple[list[int], npt.NDArray[np.void]]:
        """The sizes of the next datagrams, in records, and so many records altogether."""
        sizes: list[int] = []
        parts: list[bytes] = []
        while sum(sizes) < count:
            datagram = self.udp.recv(65536)
            assert len(datagram) % RECORD_SIZE == 0
            sizes.append(len(datagram) // RECORD_SIZE)
            parts.append(datagram)
        return sizes, np.frombuffer(b"".join(parts), RECORD_DTYPE)
