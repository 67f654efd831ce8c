"""How announcements are received from sprayers (spec 2 "Ann Handler → block miners").

One thread empties the sockets, because a datagram that finds its socket's buffer full is lost; it
hands on what it received in arrays. Nothing it is sent costs more than the buffers given here:
datagrams from others than the sprayers subscribed to, or of no whole records, are counted and
forgotten; when nobody takes the announcements, the oldest are dropped.
"""

import logging
import selectors
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np

from packetcrypt.client.announcement_queue import AnnouncementQueue, Announcements
from packetcrypt.client.complaints import Complaints
from packetcrypt.client.host_addresses import HostAddresses
from packetcrypt.client.sprayer_links import (
    SILENCE_SECONDS,
    SprayerLink,
)
from packetcrypt.client.subscription_settings import SubscriptionSettings
from packetcrypt.client.subscription_statistics import SubscriptionStatistics
from packetcrypt.client.udp import Address, Endpoint, join_group, open_udp, receive_merged
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.sprayer_messages import (
    RECORD_SIZE,
    RENEWAL_SECONDS,
    decode_records,
)

_log = logging.getLogger(__name__)

_DATAGRAM_ROOM = 1 << 16
"""bytes; what the kernel puts together is not longer either"""
_SLAB_SIZE = 17 * _DATAGRAM_ROOM
"""About 1000 records are received before they are handed on: one hand-over for many datagrams,
and still in the processor's cache."""
_MAX_GROUP_SENDERS = 64
_POLL_SECONDS = 0.1
"""how long the thread may notice nothing but datagrams"""


class SprayerSubscription:
    """Subscribes to sprayers, and receives, from `start` to `stop`.

        with SprayerSubscription(settings) as subscription:
            announcements = subscription.get(timeout=1.0)

    They are as they came: not checked, and perhaps not new. Raises `ConfigError` if an address
    cannot be used.
    """

    def __init__(self, settings: SubscriptionSettings) -> None:
        self._settings = settings
        self._complaints = Complaints(_log)
        self._queue = AnnouncementQueue(settings.queue_capacity)
        now = time.monotonic()
        self._links = {name: SprayerLink(name, settings.shares, now) for name in settings.sprayers}
        self._group_links: dict[Address, SprayerLink] = {}
        self._received = 0
        self._wrong_source = 0
        self._malformed = 0
        self._is_renewal_due = True
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._slab = np.empty(_SLAB_SIZE, np.uint8)
        self._sockets: list[socket.socket] = []
        try:
            self._open()
        except ConfigError:
            self._close()
            raise
        self._addresses = HostAddresses(
            settings.sprayers, self._sockets[0].family, self._complaints
        )

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports it receives at: one a share."""
        return tuple(udp.getsockname()[1] for udp in self._sockets[: self._settings.shares])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begins to subscribe and to receive."""
        self._thread = threading.Thread(target=self._run, name="sprayer-receive", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops receiving; `get` does not wait any more. Idempotent.

        The protocol has no word for it: sprayers go on for up to 30 s, or until they hear that
        nobody listens.
        """
        self._stopping = True
        if self._thread is not None:
            self._thread.join()
        self._addresses.close()
        self._close()
        self._queue.close()

    def get(self, timeout: float | None = None, limit: int = 4096) -> Announcements:
        """The oldest announcements received, (n, 1024) uint8, n at most `limit`.

        n is 0 after so many seconds without any (None: waits for ever), and after `stop`.
        """
        return self._queue.get(limit, timeout)

    def statistics(self) -> SubscriptionStatistics:
        """The counters as they are now."""
        links = (*self._links.values(), *list(self._group_links.values()))
        return SubscriptionStatistics(
            received=self._received,
            dropped=self._queue.dropped,
            wrong_source=self._wrong_source,
            malformed=self._malformed,
            links=tuple(link.statistics() for link in links),
        )

    def _open(self) -> None:
        settings = self._settings
        for number in range(settings.shares):
            port = settings.bind.port + number if settings.bind.port else 0
            bind = replace(settings.bind, port=port)
            self._sockets.append(open_udp(bind, settings.receive_buffer))
        if settings.group is not None:
            interface = settings.bind.host
            if self._sockets[0].family != socket.AF_INET:
                raise ConfigError(
                    f'multicast groups are IPv4, "{settings.bind}" is not: bind to an IPv4 address'
                )
            # Bound to the group itself: what is sent to the port by other ways stays out.
            self._sockets.append(open_udp(settings.group, settings.receive_buffer))
            join_group(self._sockets[-1], settings.group.host, interface)
        for udp in self._sockets:
            udp.setblocking(False)
            receive_merged(udp)

    def _close(self) -> None:
        for udp in self._sockets:
            udp.close()

    def _run(self) -> None:
        try:
            self._receive_until_stopped()
        except Exception:
            # The thread's outermost loop: whoever waits must not wait for ever.
            _log.exception("receiving from sprayers failed; nothing more is received")
            self._queue.close()

    def _receive_until_stopped(self) -> None:
        next_renewal = 0.0
        asked: Mapping[Endpoint, Address] = {}
        with selectors.DefaultSelector() as selector:
            for number, udp in enumerate(self._sockets):
                selector.register(udp, selectors.EVENT_READ, number)
            while not self._stopping:
                now = time.monotonic()
                known = self._addresses.known
                if self._is_renewal_due or known is not asked or now >= next_renewal:
                    self._is_renewal_due = False
                    asked = known
                    next_renewal = now + RENEWAL_SECONDS
                    self._renew(now, known)
                for key, _ in selector.select(_POLL_SECONDS):
                    self._drain(key.data)

    def _renew(self, now: float, known: Mapping[Endpoint, Address]) -> None:
        for name, address in known.items():
            link = self._links[name]
            asked = link.subscriptions(self._settings.password, now)
            if link.is_silent(now):
                self._complaints.report(
                    ("silence", str(name)),
                    f"nothing has come from the sprayer {name} for {SILENCE_SECONDS:g} s: either "
                    "it has nothing, or it is not there, has another password, or UDP does not "
                    "get through",
                )
            for number, subscription in asked.items():
                try:
                    self._sockets[number].sendto(subscription.encode(), address)
                except OSError as error:
                    self._complaints.report(
                        ("renewal", str(name)),
                        f"cannot subscribe to the sprayer {name}: {error.strerror}; it is tried "
                        f"again every {RENEWAL_SECONDS:g} s",
                    )

    def _drain(self, number: int) -> None:
        """Receives what waits at one socket, at most a slab, and hands it on."""
        udp = self._sockets[number]
        by_address = self._senders(number)
        now = time.monotonic()
        room = self._slab.data
        runs: list[tuple[SprayerLink, int]] = []
        end = 0
        # Junk fills no slab: its number is bounded too, for the sake of the other sockets.
        for _ in range(_SLAB_SIZE // RECORD_SIZE):
            if end + _DATAGRAM_ROOM > _SLAB_SIZE:
                break
            try:
                size, sender = udp.recvfrom_into(room[end : end + _DATAGRAM_ROOM])
            except OSError:  # nothing more, or an ICMP message about a renewal
                break
            link = by_address.get(sender)
            if link is None and (link := self._new_group_sender(number, sender, now)) is None:
                self._wrong_source += 1
            elif size == 0 or size % RECORD_SIZE:
                self._malformed += 1
            else:
                end += size
                if runs and runs[-1][0] is link:
                    runs[-1] = (link, end)
                else:
                    runs.append((link, end))
        if runs:
            self._hand_on(number, runs, now)

    def _senders(self, number: int) -> dict[Address, SprayerLink]:
        if number >= self._settings.shares:
            return self._group_links
        return {address: self._links[name] for name, address in self._addresses.known.items()}

    def _new_group_sender(self, number: int, sender: Address, now: float) -> SprayerLink | None:
        """Anybody may send to a group; only so many at a time are told apart, and heard."""
        if number < self._settings.shares:
            return None
        if len(self._group_links) >= _MAX_GROUP_SENDERS:
            for address, link in list(self._group_links.items()):
                if link.is_silent(now):
                    del self._group_links[address]
            if len(self._group_links) >= _MAX_GROUP_SENDERS:
                return None
        name = f"{self._settings.group} from {Endpoint(str(sender[0]), int(sender[1]))}"
        self._group_links[sender] = link = SprayerLink(name, 1, now)
        return link

    def _hand_on(self, number: int, runs: list[tuple[SprayerLink, int]], now: float) -> None:
        records = decode_records(self._slab[: runs[-1][1]])
        self._received += len(records)
        begin = 0
        for link, end in runs:
            counters = records["counter"][begin // RECORD_SIZE : end // RECORD_SIZE]
            self._is_renewal_due |= link.count(number, counters, now)
            begin = end
        # Last, so that whoever has them also finds them counted.
        self._queue.put(records["announcement"].copy())
