"""How records are cut into datagrams and sent to one address.

To its own host a datagram takes 63 records; to others what passes their network unfragmented. Linux
takes a long buffer apart into such datagrams itself (`UDP_SEGMENT`): 0.5 µs a record instead of 5.
"""

import errno
import socket
import struct
from dataclasses import dataclass

from packetcrypt.client.udp import SOL_UDP, UDP_SEGMENT, Address, is_own_host
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.protocol.sprayer_messages import MAX_RECORDS, RECORD_SIZE, records_per_datagram

_NOT_SEGMENTED = (errno.EINVAL, errno.EIO, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EMSGSIZE)
"""what a kernel or network that cannot segment says"""


@dataclass(frozen=True)
class Sent:
    """What became of records: handed to the kernel, or refused by it.

    error : the last one that the socket said, also if the second try succeeded
    """

    sent: int
    failed: int
    error: OSError | None = None


class SprayerOutput:
    """The way to one address."""

    def __init__(self, udp: socket.socket, address: Address, settings: SprayerSettings) -> None:
        self._udp = udp
        self._address = address
        is_local = is_own_host(address, udp.family)
        records = records_per_datagram(
            settings.max_local_datagram if is_local else settings.max_datagram
        )
        self._datagram = records * RECORD_SIZE
        #: Bytes a call: one datagram, or as many as the kernel takes apart.
        self._at_once = MAX_RECORDS // records * self._datagram

    def send(self, octets: memoryview) -> Sent:
        """Sends joined records; goes on after a failure, for the next may succeed."""
        failed = 0
        error = None
        position = 0
        while position < len(octets):
            piece = octets[position : position + self._at_once]
            try:
                self._send(piece)
            except OSError as problem:
                if self._at_once > self._datagram and problem.errno in _NOT_SEGMENTED:
                    self._at_once = self._datagram
                    continue
                error = problem
                failed += 0 if self._sends_now(piece) else len(piece)
            position += len(piece)
        return Sent((len(octets) - failed) // RECORD_SIZE, failed // RECORD_SIZE, error)

    def _sends_now(self, piece: memoryview) -> bool:
        """Tries again: what the socket said may have been about what it sent to somebody else."""
        try:
            self._send(piece)
        except OSError:
            return False
        return True

    def _send(self, piece: memoryview) -> None:
        if len(piece) <= self._datagram:
            self._udp.sendto(piece, self._address)
            return
        size = struct.pack("=H", self._datagram)
        self._udp.sendmsg([piece], [(SOL_UDP, UDP_SEGMENT, size)], 0, self._address)
