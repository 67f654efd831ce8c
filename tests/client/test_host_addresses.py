"""Addresses are known at once, names when the name server has answered."""

import logging
import socket

import pytest
from sprayer_peers import wait_until

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.host_addresses import HostAddresses
from packetcrypt.client.udp import Endpoint

LOG = logging.getLogger("test")


def test_addresses_need_no_look_up() -> None:
    endpoints = [Endpoint("127.0.0.1", 5), Endpoint("192.0.2.7", 6)]
    addresses = HostAddresses(endpoints, socket.AF_INET, Complaints(LOG))
    assert dict(addresses.known) == {
        endpoints[0]: ("127.0.0.1", 5),
        endpoints[1]: ("192.0.2.7", 6),
    }


def test_names_are_looked_up_meanwhile() -> None:
    localhost = Endpoint("localhost", 5)
    addresses = HostAddresses([localhost], socket.AF_INET, Complaints(LOG))
    wait_until(lambda: bool(addresses.known))
    addresses.close()
    assert addresses.known[localhost] == ("127.0.0.1", 5)


@pytest.mark.parametrize(
    ("endpoint", "family"),
    [(Endpoint("a..b", 5), socket.AF_INET), (Endpoint("::1", 5), socket.AF_INET)],
)
def test_what_cannot_be_reached_is_reported(
    endpoint: Endpoint, family: socket.AddressFamily, caplog: pytest.LogCaptureFixture
) -> None:
    addresses = HostAddresses([endpoint], family, Complaints(LOG))
    wait_until(lambda: bool(caplog.messages))
    addresses.close()
    assert f"{endpoint} has no address that UDP can reach from here" in caplog.text
    assert not addresses.known


def test_an_ipv4_address_is_reached_from_an_ipv6_socket() -> None:
    endpoint = Endpoint("127.0.0.1", 5)
    addresses = HostAddresses([endpoint], socket.AF_INET6, Complaints(LOG))
    assert addresses.known[endpoint][:2] == ("::ffff:127.0.0.1", 5)
