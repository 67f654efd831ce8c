"""How announcements are sprayed at block miners (spec 2 "Ann Handler → block miners").

One thread takes subscriptions and sends, at a pace that receivers can keep (sprayer_pacing). What
it can cost is bounded: announcements that wait, receivers, and what is read of a datagram.
"""

import errno
import logging
import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

import numpy as np

from packetcrypt.client.announcement_queue import AnnouncementQueue, Announcements
from packetcrypt.client.complaints import Complaints
from packetcrypt.client.host_addresses import HostAddresses
from packetcrypt.client.udp import Address, Endpoint, open_udp
from packetcrypt.handler.sprayer_output import Sent, SprayerOutput
from packetcrypt.handler.sprayer_pacing import Pacer
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.handler.sprayer_statistics import SprayerStatistics
from packetcrypt.handler.sprayer_subscribers import Subscriber, Subscribers
from packetcrypt.protocol.sprayer_messages import MAX_RECORDS, RECORD_DTYPE, SUBSCRIPTION_LIMIT

_log = logging.getLogger(__name__)

_HEARD_AT_ONCE = 64
"""datagrams that are looked at before it is sprayed again"""
_IDLE_SECONDS = 0.5
_SEND_SECONDS = 1
"""how long a network that takes nothing can hold the thread up"""
_MOST_SHARES = 16
"""shares that make bursts longer; 16 × 126 records are 2 MiB"""
# <linux/in.h>, <linux/in6.h>: Python's socket module does not name them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_EXTENDED_ERROR = struct.Struct("=IB")
_ICMP_ORIGINS = (2, 3)


class Sprayer:
    """Sprays what it is given at its subscribers and fixed addresses, from `start` to `stop`.

    Raises `ConfigError` if `bind` cannot be used.
    """

    def __init__(self, settings: SprayerSettings) -> None:
        self._settings = settings
        self._complaints = Complaints(_log)
        self._queue = AnnouncementQueue(settings.queue_len)
        self._subscribers = Subscribers(settings.passwd, settings.max_subscribers)
        self._outputs: dict[Address, SprayerOutput] = {}
        self._receivers: tuple[Subscriber, ...] = ()
        self._taken = 0
        self._taking = threading.Lock()
        self._sent = 0
        self._failed = 0
        self._counter = 0
        self._next_look = 0.0
        room = settings.burst * _MOST_SHARES
        self._records = np.zeros(room, RECORD_DTYPE)
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._udp = _open(settings.bind_endpoint)
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._is_sleeping = False
        self._fixed = HostAddresses(settings.fixed, self._udp.family, self._complaints)
        self._update_receivers()

    @property
    def is_spraying(self) -> bool:
        """Whether its thread is at work: not after it failed."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def port(self) -> int:
        """Where it takes subscriptions."""
        return int(self._udp.getsockname()[1])

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
        """Begins to take subscriptions and to spray."""
        self._thread = threading.Thread(target=self._run, name="sprayer-send", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops at once; what waits is not sprayed any more. Idempotent."""
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
        self._fixed.close()
        for open_socket in (self._udp, self._wake_reader, self._wake_writer):
            open_socket.close()

    def spray(self, announcements: Announcements) -> None:
        """Takes (n, 1024) uint8 announcements, which must not change any more. Never blocks.

        Without anybody to spray at they are forgotten. Any thread may call it.
        """
        if not self._receivers:
            return
        with self._taking:
            self._taken += len(announcements)
        self._queue.put(announcements)
        if self._is_sleeping:
            self._wake()

    def statistics(self) -> SprayerStatistics:
        """The counters as they are now."""
        return SprayerStatistics(
            taken=self._taken,
            dropped=self._queue.dropped,
            sent=self._sent,
            failed=self._failed,
            refused=self._subscribers.refused,
            receivers=len(self._receivers),
        )

    def _wake(self) -> None:
        with suppress(OSError):  # closed, or woken already by more than it has read
            self._wake_writer.send(b"\0", socket.MSG_DONTWAIT)

    def _run(self) -> None:
        try:
            self._spray_until_stopped()
        except Exception:
            # The thread's outermost loop: what feeds it goes on without it.
            _log.exception("the sprayer failed; nothing more is sprayed")
            self._receivers = ()

    def _spray_until_stopped(self) -> None:
        burst = self._settings.burst
        pacer = Pacer(self._settings.max_rate, burst, MAX_RECORDS, time.monotonic())
        with selectors.DefaultSelector() as selector:
            selector.register(self._udp, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not self._stopping:
                now = time.monotonic()
                self._hear(now)
                waiting = len(self._queue)
                shares = self._shares()
                if granted := pacer.grant(waiting, shares, now):
                    self._send(self._queue.take(granted))
                elif waiting:
                    time.sleep(pacer.pause(waiting, shares))
                else:
                    self._sleep(selector)

    def _sleep(self, selector: selectors.BaseSelector) -> None:
        self._is_sleeping = True
        # What came before the flag was seen does not wake.
        selector.select(0 if len(self._queue) else _IDLE_SECONDS)
        self._is_sleeping = False
        with suppress(BlockingIOError):
            self._wake_reader.recv(4096, socket.MSG_DONTWAIT)

    def _hear(self, now: float) -> None:
        for heard in range(_HEARD_AT_ONCE):
            try:
                datagram, sender = self._udp.recvfrom(SUBSCRIPTION_LIMIT + 1, socket.MSG_DONTWAIT)
            except BlockingIOError:
                if not heard and now < self._next_look:
                    return
                break
            except OSError:  # an ICMP message about something sent before
                self._forget_deaf()
            else:
                self._subscribers.hear(datagram, sender, now)
        self._next_look = now + _IDLE_SECONDS
        self._subscribers.expire(now)
        self._update_receivers()

    def _update_receivers(self) -> None:
        fixed = tuple(Subscriber(a, 0, 1, 0.0) for a in self._fixed.known.values())
        self._receivers = self._subscribers.current + fixed
        known = {receiver.address for receiver in self._receivers}
        for address in known - self._outputs.keys():
            self._outputs[address] = SprayerOutput(self._udp, address, self._settings)
        for address in self._outputs.keys() - known:
            del self._outputs[address]

    def _shares(self) -> int:
        least = min((receiver.share_count for receiver in self._receivers), default=1)
        return min(least, _MOST_SHARES)

    def _send(self, announcements: Announcements) -> None:
        records = self._records[: len(announcements)]
        first = self._counter
        self._counter += len(announcements)
        records["announcement"] = announcements
        records["counter"] = np.arange(first, self._counter, dtype=np.uint64)
        shares: dict[tuple[int, int], memoryview] = {}
        for receiver in self._receivers:
            share = (receiver.number, receiver.share_count)
            if share not in shares:
                begin = (receiver.number - first) % receiver.share_count
                chosen = np.ascontiguousarray(records[begin :: receiver.share_count])
                shares[share] = chosen.view(np.uint8).data
            result = self._outputs[receiver.address].send(shares[share])
            self._sent += result.sent
            self._failed += result.failed
            if result.error is not None:
                self._look_into(receiver.address, result)

    def _look_into(self, address: Address, result: Sent) -> None:
        self._forget_deaf()
        if result.failed and result.error is not None:
            name = Endpoint(str(address[0]), int(address[1]))
            reason = result.error.strerror or result.error
            self._complaints.report(("send",), f"sprayer: cannot send to {name}: {reason}")

    def _forget_deaf(self) -> None:
        """Reads who was said to have no listener. Fixed addresses are sprayed at all the same."""
        for _ in range(_HEARD_AT_ONCE):
            try:
                _, said, _, address = self._udp.recvmsg(
                    0, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT
                )
            except OSError:
                return
            if any(_is_port_unreachable(data) for _, _, data in said):
                self._subscribers.forget(address)


def _is_port_unreachable(extended_error: bytes) -> bool:
    """Whether a `struct sock_extended_err` (<linux/errqueue.h>) is such an ICMP message."""
    if len(extended_error) < _EXTENDED_ERROR.size:
        return False
    number, origin = _EXTENDED_ERROR.unpack_from(extended_error)
    return number == errno.ECONNREFUSED and origin in _ICMP_ORIGINS


def _open(bind: Endpoint) -> socket.socket:
    udp = open_udp(bind)
    # Blocking to send, so that a slow network sets the pace; receiving asks not to wait.
    timeout = struct.pack("ll", _SEND_SECONDS, 0)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
    with suppress(OSError):
        if udp.family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            udp.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(bind.host))
    return udp
