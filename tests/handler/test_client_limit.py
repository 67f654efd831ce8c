"""Of one client so many requests are taken at a time, and no more."""

from contextlib import ExitStack

import pytest

from packetcrypt.handler.block_statistics import BlockStatistics
from packetcrypt.handler.client_address import Client
from packetcrypt.handler.client_limit import ClientLimit
from packetcrypt.handler.http_answers import Overloaded

MINER = Client("192.0.2.7", is_known=True)
OTHER = Client("192.0.2.8", is_known=True)


@pytest.fixture
def statistics() -> BlockStatistics:
    return BlockStatistics()


@pytest.fixture
def limit(statistics: BlockStatistics) -> ClientLimit:
    return ClientLimit(2, statistics)


def _is_taken(limit: ClientLimit, client: Client) -> bool:
    try:
        with limit.counted(client):
            return True
    except Overloaded:
        return False


def test_a_client_has_its_number_at_a_time(limit: ClientLimit, statistics: BlockStatistics) -> None:
    with limit.counted(MINER), limit.counted(MINER):
        assert not _is_taken(limit, MINER)
        assert _is_taken(limit, OTHER)
    assert _is_taken(limit, MINER)
    assert (limit.refused, statistics.overloaded) == (1, 1)


def test_one_after_the_other_is_no_matter(limit: ClientLimit) -> None:
    assert all(_is_taken(limit, MINER) for _ in range(5))


def test_a_request_that_fails_has_ended(limit: ClientLimit) -> None:
    for _ in range(5):
        with pytest.raises(RuntimeError), limit.counted(MINER):
            raise RuntimeError
    assert _is_taken(limit, MINER)


def test_a_network_of_64_bits_is_one_client(limit: ClientLimit) -> None:
    first, second, third = (Client(f"2001:db8:1:2::{host}", is_known=True) for host in (1, 2, 3))
    elsewhere = Client("2001:db8:1:3::1", is_known=True)
    with limit.counted(first), limit.counted(second):
        assert not _is_taken(limit, third)
        assert _is_taken(limit, elsewhere)


@pytest.mark.parametrize("address", ["", "127.0.0.1", "10.0.0.1"])
def test_who_is_not_known_is_not_limited(
    limit: ClientLimit, statistics: BlockStatistics, address: str
) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(limit.counted(Client(address, is_known=False)))
        assert limit.clients == 0
    assert (limit.refused, statistics.overloaded) == (0, 0)


def test_nobody_is_remembered(limit: ClientLimit) -> None:
    with ExitStack() as stack:
        for host in range(100):
            stack.enter_context(limit.counted(Client(f"192.0.2.{host}", is_known=True)))
        assert limit.clients == 100
        for _ in range(2):
            _is_taken(limit, Client("192.0.2.1", is_known=True))
    assert limit.clients == 0


def test_a_refused_client_is_not_remembered() -> None:
    limit = ClientLimit(0, BlockStatistics())
    assert not _is_taken(limit, MINER)
    assert limit.clients == 0
