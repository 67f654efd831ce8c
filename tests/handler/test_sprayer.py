"""A sprayer against subscribers that are bare sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sprayer_peers import PASSWORD, Peer, free_ports, made_up_announcements, wait_until

from packetcrypt.client.sprayer_subscription import SprayerSubscription
from packetcrypt.client.subscription_settings import SubscriptionSettings
from packetcrypt.client.udp import Endpoint, join_group, open_udp
from packetcrypt.handler.sprayer import Sprayer
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.sprayer_messages import RECORD_DTYPE


@pytest.fixture
def subscriber() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@contextmanager
def _sprayer(**changes: Any) -> Iterator[Sprayer]:
    settings = {"passwd": PASSWORD, "bind": "127.0.0.1:0", **changes}
    with Sprayer(SprayerSettings(**settings)) as sprayer:
        yield sprayer


def _until_receivers(sprayer: Sprayer, count: int) -> None:
    wait_until(lambda: sprayer.statistics().receivers == count)


def _contents(records: npt.NDArray[np.void]) -> dict[int, bytes]:
    return {int(record["counter"]): record["announcement"].tobytes() for record in records}


def test_a_subscriber_is_sent_everything_in_order(subscriber: Peer) -> None:
    announcements = made_up_announcements(300)
    with _sprayer() as sprayer:
        subscriber.subscribe(sprayer.port)
        _until_receivers(sprayer, 1)
        sprayer.spray(announcements)
        sizes, records = subscriber.receive(300)
        wait_until(lambda: sprayer.statistics().sent == 300)
        statistics = sprayer.statistics()

    assert records["counter"].tolist() == list(range(300))
    assert (records["announcement"] == announcements).all()
    assert max(sizes) == 63
    assert (statistics.taken, statistics.failed, statistics.dropped) == (300, 0, 0)


def test_shares_divide_what_is_sprayed(subscriber: Peer) -> None:
    announcements = made_up_announcements(301)
    with _sprayer() as sprayer, Peer() as other:
        subscriber.subscribe(sprayer.port, number=0, count=2)
        other.subscribe(sprayer.port, number=1, count=2)
        _until_receivers(sprayer, 2)
        sprayer.spray(announcements)
        even = _contents(subscriber.receive(151)[1])
        odd = _contents(other.receive(150)[1])

    assert even == {number: announcements[number].tobytes() for number in range(0, 301, 2)}
    assert odd == {number: announcements[number].tobytes() for number in range(1, 301, 2)}


def test_shares_go_on_where_the_last_burst_ended(subscriber: Peer) -> None:
    announcements = made_up_announcements(200)
    with _sprayer() as sprayer:
        subscriber.subscribe(sprayer.port, number=2, count=3)
        _until_receivers(sprayer, 1)
        sprayer.spray(announcements[:100])
        received = _contents(subscriber.receive(33)[1])
        sprayer.spray(announcements[100:])
        received |= _contents(subscriber.receive(33)[1])

    assert received == {number: announcements[number].tobytes() for number in range(2, 200, 3)}


def test_a_wrong_password_is_sent_nothing(subscriber: Peer) -> None:
    with _sprayer() as sprayer:
        subscriber.subscribe(sprayer.port, passwd="guess")
        wait_until(lambda: sprayer.statistics().refused == 1)
        sprayer.spray(made_up_announcements(1))
        statistics = sprayer.statistics()

    assert (statistics.receivers, statistics.taken) == (0, 0)


def test_junk_is_refused_and_the_sprayer_goes_on(subscriber: Peer) -> None:
    junk = [b"", b"\xff" * 65507, b"{}", b"[" * 500, b'{"yes_please_dos_me_passwd":1}']
    with _sprayer() as sprayer:
        for datagram in junk:
            subscriber.udp.sendto(datagram, ("127.0.0.1", sprayer.port))
        wait_until(lambda: sprayer.statistics().refused == len(junk))
        subscriber.subscribe(sprayer.port)
        _until_receivers(sprayer, 1)
        sprayer.spray(made_up_announcements(1))
        subscriber.receive(1)


def test_a_subscriber_that_is_gone_is_forgotten(subscriber: Peer) -> None:
    with _sprayer() as sprayer:
        with Peer() as gone:
            gone.subscribe(sprayer.port)
            _until_receivers(sprayer, 1)
        wait_until(lambda: _sprayed_until_forgotten(sprayer))
        subscriber.subscribe(sprayer.port)
        _until_receivers(sprayer, 1)


def _sprayed_until_forgotten(sprayer: Sprayer) -> bool:
    sprayer.spray(made_up_announcements(1))
    return sprayer.statistics().receivers == 0


def test_an_address_where_nobody_listens_costs_the_others_nothing(subscriber: Peer) -> None:
    announcements = made_up_announcements(630)
    deaf = f"127.0.0.1:{free_ports()}"
    with _sprayer(spray_at=(deaf,)) as sprayer:
        subscriber.subscribe(sprayer.port)
        _until_receivers(sprayer, 2)
        sprayer.spray(announcements)
        _, records = subscriber.receive(630)

    assert (records["announcement"] == announcements).all()


def test_fixed_addresses_are_sprayed_at_unasked(subscriber: Peer) -> None:
    with _sprayer(spray_at=(str(subscriber.endpoint),)) as sprayer:
        sprayer.spray(made_up_announcements(2))
        assert subscriber.receive(2)[1]["counter"].tolist() == [0, 1]


def test_a_fixed_address_where_nobody_listens_is_not_forgotten() -> None:
    port = free_ports()
    with _sprayer(spray_at=(f"127.0.0.1:{port}",)) as sprayer:
        sprayer.spray(made_up_announcements(1))
        wait_until(lambda: sprayer.statistics().sent + sprayer.statistics().failed == 1)
        with Peer(port=port) as late:
            sprayer.spray(made_up_announcements(1))
            sprayer.spray(made_up_announcements(1))
            late.receive(1)


def test_a_multicast_group_is_sprayed_at() -> None:
    group = Endpoint("239.77.0.2", free_ports())
    announcements = made_up_announcements(2)
    with open_udp(group) as member:
        member.settimeout(30)
        join_group(member, group.host, "127.0.0.1")
        with _sprayer(spray_at=(str(group),)) as sprayer:
            sprayer.spray(announcements)
            # To a group go datagrams of one record.
            datagrams = [member.recv(65536) for _ in range(2)]

    records = np.frombuffer(b"".join(datagrams), RECORD_DTYPE)
    assert (records["announcement"] == announcements).all()


def test_what_waits_too_long_gives_way_to_newer(subscriber: Peer) -> None:
    with _sprayer(queue_len=100, max_rate=1) as sprayer:
        subscriber.subscribe(sprayer.port)
        _until_receivers(sprayer, 1)
        sprayer.spray(made_up_announcements(400))
        statistics = sprayer.statistics()

    assert (statistics.taken, statistics.dropped) == (400, 300)


@pytest.mark.parametrize("shares", [1, 4])
def test_our_own_subscription_gets_everything(shares: int) -> None:
    announcements = made_up_announcements(2000)
    with _sprayer() as sprayer:
        settings = SubscriptionSettings(
            sprayers=(Endpoint("127.0.0.1", sprayer.port),), password=PASSWORD, shares=shares
        )
        with SprayerSubscription(settings) as subscription:
            _until_receivers(sprayer, 1)
            # The first ones tell whether the sprayer divides.
            sprayer.spray(announcements[:200])
            _until_receivers(sprayer, shares)
            sprayer.spray(announcements[200:])
            wanted = {one.tobytes() for one in announcements[200:]}
            received: set[bytes] = set()
            while not wanted <= received:
                received |= {one.tobytes() for one in subscription.get(30.0)}

            assert subscription.statistics().lost == 0


def test_a_port_in_use_is_a_mistake_that_is_explained(subscriber: Peer) -> None:
    settings = SprayerSettings(passwd="", bind=str(subscriber.endpoint))
    with pytest.raises(ConfigError, match="cannot receive UDP there"):
        Sprayer(settings)


def test_stopping_twice_is_stopping() -> None:
    sprayer = Sprayer(SprayerSettings(passwd="", bind="127.0.0.1:0"))
    sprayer.start()
    sprayer.stop()
    sprayer.stop()
