"""Ports that are kept for services, and for nobody else."""

import socket

import pytest

from packetcrypt.pool.devnet_ports import LOOPBACK, ReservedPorts
from packetcrypt.protocol.errors import ConfigError


def listening(port: int) -> socket.socket:
    """As a service does it."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((LOOPBACK, port))
    server.listen()
    return server


def test_all_are_different() -> None:
    with ReservedPorts(20) as ports:
        assert len(set(ports.numbers)) == 20


def test_a_service_can_listen_at_one_and_again_after_its_end() -> None:
    with ReservedPorts(1) as ports:
        for _ in range(2):
            with listening(ports.numbers[0]) as server:
                client = socket.create_connection(server.getsockname())
                connection, _ = server.accept()
                connection.close()  # first, so that the port has to wait for late packets
                client.close()


def test_a_service_that_listens_is_not_pushed_aside() -> None:
    with (
        ReservedPorts(1) as ports,
        listening(ports.numbers[0]),
        pytest.raises(OSError, match="in use"),
    ):
        listening(ports.numbers[0])


def test_nobody_answers_where_no_service_runs() -> None:
    with ReservedPorts(1) as ports, pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, ports.numbers[0]))


def test_ports_from_a_given_one_on() -> None:
    with ReservedPorts(1) as free:
        first = free.numbers[0]
    with ReservedPorts(1, first) as ports:
        assert ports.numbers == [first]


def test_a_given_port_that_is_in_use() -> None:
    with (
        ReservedPorts(1) as ports,
        listening(ports.numbers[0]),
        pytest.raises(ConfigError, match=f"port {ports.numbers[0]} of 127.0.0.1.*another --port"),
    ):
        ReservedPorts(1, ports.numbers[0])


def test_there_is_an_end_of_ports() -> None:
    with pytest.raises(ConfigError, match=r"5 ports from 65532 on.*give a lower --port"):
        ReservedPorts(5, 65532)
