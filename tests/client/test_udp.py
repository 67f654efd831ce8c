"""What is read as a UDP address, and which sockets can be opened."""

import socket

import pytest

from packetcrypt.client.udp import Endpoint, is_own_host, join_group, open_udp
from packetcrypt.protocol.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.7:6666", "192.0.2.7", 6666),
        ("ah0.pool.example:1", "ah0.pool.example", 1),
        ("[2001:db8::7]:65535", "2001:db8::7", 65535),
    ],
)
def test_an_endpoint_is_written_as_it_is_read(text: str, host: str, port: int) -> None:
    endpoint = Endpoint.parse(text)
    assert endpoint == Endpoint(host, port)
    assert str(endpoint) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "host",
        "host:",
        "host:0",
        "host:65536",
        "host:-1",
        "host:٣",
        "::1:5",
        "[host:1",
        "a b:1",
        "[]:1",
    ],
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ConfigError, match='is no UDP address: give "host:port"'):
        Endpoint.parse(text)


def test_port_0_is_one_to_bind_to() -> None:
    assert Endpoint.parse("0.0.0.0:0", lowest_port=0) == Endpoint("0.0.0.0", 0)


@pytest.mark.parametrize(
    ("host", "is_multicast"),
    [("239.77.0.1", True), ("224.0.0.1", True), ("192.0.2.7", False), ("group.example", False)],
)
def test_multicast_groups(host: str, is_multicast: bool) -> None:
    assert Endpoint(host, 1).is_multicast is is_multicast


def test_a_port_in_use_is_explained() -> None:
    with open_udp(Endpoint("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f'"127.0.0.1:{port}": cannot receive UDP there'):
            open_udp(Endpoint("127.0.0.1", port))


def test_a_host_that_does_not_exist_is_explained() -> None:
    with pytest.raises(ConfigError, match="is no address to bind to"):
        open_udp(Endpoint("no host", 1))


def test_an_interface_that_does_not_exist_is_explained() -> None:
    with (
        open_udp(Endpoint("127.0.0.1", 0)) as udp,
        pytest.raises(ConfigError, match=r"cannot join the multicast group 239\.77\.0\.1"),
    ):
        join_group(udp, "239.77.0.1", "192.0.2.7")


def test_a_receive_buffer_is_asked_for() -> None:
    with open_udp(Endpoint("127.0.0.1", 0), receive_buffer=100_000) as udp:
        # Linux doubles what is asked for: half of it is for its own bookkeeping.
        assert udp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 200_000


@pytest.mark.parametrize(
    ("host", "is_own"), [("127.0.0.1", True), ("192.0.2.7", False), ("239.77.0.1", False)]
)
def test_whether_datagrams_stay_on_this_machine(host: str, is_own: bool) -> None:
    assert is_own_host((host, 9), socket.AF_INET) is is_own
