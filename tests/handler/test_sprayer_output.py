"""Records become datagrams that fit, with and without the kernel's help."""

import errno
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sprayer_peers import Peer, joined_records, made_up_announcements

from packetcrypt.client.udp import Endpoint, open_udp
from packetcrypt.handler.sprayer_output import SprayerOutput
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.protocol.sprayer_messages import RECORD_SIZE

RECORDS = joined_records(range(130), made_up_announcements(130))


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with open_udp(Endpoint("127.0.0.1", 0)) as udp:
        yield udp


@pytest.fixture
def receiver() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


def _settings(max_local_datagram: int) -> SprayerSettings:
    return SprayerSettings(passwd="", max_local_datagram=max_local_datagram)


class NoSegmentation:
    """A socket of a kernel or network that takes no long buffers apart."""

    def __init__(self, udp: socket.socket, error: int) -> None:
        self._udp = udp
        self._error = error
        self.refused = 0

    def sendmsg(self, *_: Any) -> int:
        self.refused += 1
        raise OSError(self._error, "not here")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._udp, name)


@pytest.mark.parametrize(
    ("max_datagram", "sizes"),
    [
        (65016, [63, 63, 4]),
        (1472, [1] * 130),
        (2 * RECORD_SIZE, [2] * 65),
        (8972, [8] * 16 + [2]),
        (40 * RECORD_SIZE, [40, 40, 40, 10]),
    ],
)
def test_datagrams_hold_what_fits(
    udp: socket.socket, receiver: Peer, max_datagram: int, sizes: list[int]
) -> None:
    output = SprayerOutput(udp, receiver.address, _settings(max_datagram))

    result = output.send(memoryview(RECORDS))

    assert (result.sent, result.failed) == (130, 0)
    got_sizes, records = receiver.receive(130)
    assert sorted(got_sizes) == sorted(sizes)
    assert records.tobytes() == RECORDS


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EIO, errno.ENOPROTOOPT])
def test_without_the_kernels_help_they_are_sent_one_by_one(
    udp: socket.socket, receiver: Peer, error: int
) -> None:
    helpless: Any = NoSegmentation(udp, error)
    output = SprayerOutput(helpless, receiver.address, _settings(1472))

    result = output.send(memoryview(RECORDS))

    assert (result.sent, result.failed) == (130, 0)
    assert receiver.receive(130)[1].tobytes() == RECORDS
    assert helpless.refused == 1


def test_what_the_network_refuses_is_told(udp: socket.socket) -> None:
    # A socket that is bound to loopback reaches nobody else.
    output = SprayerOutput(udp, ("192.0.2.7", 9), SprayerSettings(passwd=""))

    result = output.send(memoryview(RECORDS[: 3 * RECORD_SIZE]))

    assert (result.sent, result.failed) == (0, 3)
    assert result.error is not None


def test_what_is_said_about_another_address_loses_nothing(
    udp: socket.socket, receiver: Peer
) -> None:
    udp.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
    with Peer() as gone:
        address = gone.address
    udp.sendto(b"", address)
    output = SprayerOutput(udp, receiver.address, _settings(65016))

    result = output.send(memoryview(RECORDS))

    assert (result.sent, result.failed) == (130, 0)
    assert isinstance(result.error, ConnectionRefusedError)
    assert receiver.receive(130)[1].tobytes() == RECORDS


def test_other_hosts_get_datagrams_that_pass_an_ethernet(
    udp: socket.socket, receiver: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.handler.sprayer_output.is_own_host", lambda *_: False)
    output = SprayerOutput(udp, receiver.address, SprayerSettings(passwd=""))

    output.send(memoryview(RECORDS))

    assert receiver.receive(130)[0] == [1] * 130


def test_the_own_host_gets_long_ones(udp: socket.socket, receiver: Peer) -> None:
    output = SprayerOutput(udp, receiver.address, SprayerSettings(passwd=""))

    output.send(memoryview(np.frombuffer(RECORDS, np.uint8)))

    assert receiver.receive(130)[0] == [63, 63, 4]
