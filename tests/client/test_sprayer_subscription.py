"""A subscription against a sprayer of which the test sends every datagram."""

from collections.abc import Iterator

import numpy as np
import pytest
from sprayer_peers import (
    PASSWORD,
    Peer,
    free_ports,
    joined_records,
    made_up_announcements,
    receive_all,
    wait_until,
)

from packetcrypt.client.sprayer_subscription import SprayerSubscription
from packetcrypt.client.subscription_settings import SubscriptionSettings
from packetcrypt.client.udp import Endpoint
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.sprayer_messages import Subscription

LOOPBACK = Endpoint("127.0.0.1", 0)


@pytest.fixture
def sprayer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


def _subscription(*sprayers: Peer, shares: int = 1, capacity: int = 65536) -> SprayerSubscription:
    return SprayerSubscription(
        SubscriptionSettings(
            sprayers=tuple(peer.endpoint for peer in sprayers),
            password=PASSWORD,
            bind=LOOPBACK,
            shares=shares,
            queue_capacity=capacity,
        )
    )


@pytest.mark.parametrize("per_datagram", [1, 2, 63])
def test_announcements_arrive_as_they_were_sent(sprayer: Peer, per_datagram: int) -> None:
    sent = made_up_announcements(126)
    with _subscription(sprayer) as subscription:
        asked, subscriber = sprayer.next_subscription()
        for first in range(0, 126, per_datagram):
            piece = sent[first : first + per_datagram]
            numbers = range(first, first + len(piece))
            sprayer.udp.sendto(joined_records(numbers, piece), subscriber)
        received = receive_all(subscription, 126)
        statistics = subscription.statistics()

    assert asked == Subscription(PASSWORD, 0, 1)
    assert (received == sent).all()
    assert (statistics.received, statistics.lost, statistics.dropped) == (126, 0, 0)
    assert (statistics.wrong_source, statistics.malformed) == (0, 0)


def test_gaps_are_counted_for_the_sprayer_that_has_them(sprayer: Peer) -> None:
    with Peer() as other, _subscription(sprayer, other) as subscription:
        for peer, numbers in ((sprayer, (0, 1)), (other, (0, 9))):
            _, subscriber = peer.next_subscription()
            peer.udp.sendto(joined_records(numbers, made_up_announcements(2)), subscriber)
        receive_all(subscription, 4)
        links = {link.name: link for link in subscription.statistics().links}

    assert (links[str(sprayer.endpoint)].received, links[str(sprayer.endpoint)].lost) == (2, 0)
    assert (links[str(other.endpoint)].received, links[str(other.endpoint)].lost) == (2, 8)


def test_others_than_the_sprayers_are_not_heard(sprayer: Peer) -> None:
    wanted, unwanted = made_up_announcements(2)[:, np.newaxis]
    with Peer() as stranger, _subscription(sprayer) as subscription:
        _, subscriber = sprayer.next_subscription()
        stranger.udp.sendto(joined_records([0], unwanted), subscriber)
        wait_until(lambda: subscription.statistics().wrong_source == 1)
        sprayer.udp.sendto(joined_records([0], wanted), subscriber)
        received = receive_all(subscription, 1)

    assert (received == wanted).all()


@pytest.mark.parametrize("size", [0, 1, 1024, 1031, 1033, 65507])
def test_what_is_no_whole_number_of_records_is_counted(sprayer: Peer, size: int) -> None:
    with _subscription(sprayer) as subscription:
        _, subscriber = sprayer.next_subscription()
        sprayer.udp.sendto(bytes(size), subscriber)
        wait_until(lambda: subscription.statistics().malformed == 1)
        sprayer.udp.sendto(joined_records([0], made_up_announcements(1)), subscriber)
        receive_all(subscription, 1)

    assert subscription.statistics().received == 1


def test_a_flood_that_nobody_takes_keeps_the_newest(sprayer: Peer) -> None:
    sent = made_up_announcements(40)
    with _subscription(sprayer, capacity=8) as subscription:
        _, subscriber = sprayer.next_subscription()
        for number in range(40):
            one = sent[number : number + 1]
            sprayer.udp.sendto(joined_records([number], one), subscriber)
        wait_until(lambda: subscription.statistics().received == 40)
        received = subscription.get(0.0)

    assert (received == sent[-8:]).all()
    assert subscription.statistics().dropped == 32


def test_junk_that_never_ends_does_not_keep_the_thread(sprayer: Peer) -> None:
    class Flooded:
        heard = 0

        def recvfrom_into(self, room: memoryview) -> tuple[int, tuple[str, int]]:
            self.heard += 1
            assert self.heard < 100_000, "it goes on as long as junk comes"
            return 1, ("192.0.2.66", 6666)

        def close(self) -> None:
            pass

    subscription = _subscription(sprayer)
    flooded = Flooded()
    with subscription._sockets[0]:
        subscription._sockets[0] = flooded  # type: ignore[call-overload]
        subscription._drain(0)
    subscription.stop()

    assert subscription.statistics().wrong_source == flooded.heard


def test_a_sprayer_that_divides_is_asked_for_every_share(sprayer: Peer) -> None:
    sent = made_up_announcements(64)
    with _subscription(sprayer, shares=4) as subscription:
        first, subscriber = sprayer.next_subscription()
        sprayer.udp.sendto(joined_records(range(0, 64, 4), sent[::4]), subscriber)
        sockets = {subscriber[1]}
        for _ in range(4):
            asked, subscriber = sprayer.next_subscription()
            sockets.add(subscriber[1])
            if asked.number:
                share = range(asked.number, 64, 4)
                sprayer.udp.sendto(joined_records(share, sent[asked.number :: 4]), subscriber)
        received = receive_all(subscription, 64)
        ports = subscription.ports

    assert first == Subscription(PASSWORD, 0, 4)
    assert sockets == set(ports)
    assert {bytes(one) for one in received} == {bytes(one) for one in sent}
    assert subscription.statistics().lost == 0


def test_a_sprayer_that_does_not_divide_is_asked_for_everything(sprayer: Peer) -> None:
    with _subscription(sprayer, shares=4):
        _, subscriber = sprayer.next_subscription()
        sprayer.udp.sendto(joined_records(range(63), made_up_announcements(63)), subscriber)
        asked, again = sprayer.next_subscription()

    assert (asked, again) == (Subscription(PASSWORD, 0, 1), subscriber)


def test_shares_are_received_at_consecutive_ports(sprayer: Peer) -> None:
    port = free_ports()
    settings = SubscriptionSettings(
        sprayers=(sprayer.endpoint,), bind=Endpoint("127.0.0.1", port), shares=2
    )
    with SprayerSubscription(settings) as subscription:
        assert subscription.ports == (port, port + 1)


def test_a_multicast_group_is_heard() -> None:
    group = Endpoint("239.77.0.1", free_ports())
    sent = made_up_announcements(3)
    settings = SubscriptionSettings(group=group, bind=LOOPBACK)
    with Peer() as sender, SprayerSubscription(settings) as subscription:
        # From the loopback address, so also by the loopback interface.
        sender.multicast_from("127.0.0.1")
        sender.udp.sendto(joined_records(range(3), sent), (group.host, group.port))
        received = receive_all(subscription, 3)
        (link,) = subscription.statistics().links

    assert (received == sent).all()
    assert link.name == f"{group} from {sender.endpoint}"


def test_of_the_senders_to_a_group_only_some_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packetcrypt.client.sprayer_subscription._MAX_GROUP_SENDERS", 1)
    group = Endpoint("239.77.0.1", free_ports())
    one = joined_records([0], made_up_announcements(1))
    settings = SubscriptionSettings(group=group, bind=LOOPBACK)
    with Peer() as first, Peer() as second, SprayerSubscription(settings) as subscription:
        for sender in (first, second):
            sender.multicast_from("127.0.0.1")
        first.udp.sendto(one, (group.host, group.port))
        receive_all(subscription, 1)
        second.udp.sendto(one, (group.host, group.port))
        wait_until(lambda: subscription.statistics().wrong_source == 1)
        # One that has been silent for long gives way.
        monkeypatch.setattr("packetcrypt.client.sprayer_links.SILENCE_SECONDS", -1.0)
        second.udp.sendto(one, (group.host, group.port))
        receive_all(subscription, 1)
        (link,) = subscription.statistics().links

    assert link.name == f"{group} from {second.endpoint}"
    assert subscription.statistics().received == 2


def test_a_sprayer_may_be_given_by_name(sprayer: Peer) -> None:
    settings = SubscriptionSettings(sprayers=(Endpoint("localhost", sprayer.address[1]),))
    with SprayerSubscription(settings) as subscription:
        _, subscriber = sprayer.next_subscription()
        sprayer.udp.sendto(joined_records([0], made_up_announcements(1)), subscriber)
        receive_all(subscription, 1)


def test_stopping_ends_waiting(sprayer: Peer) -> None:
    subscription = _subscription(sprayer)
    subscription.start()
    subscription.stop()
    subscription.stop()

    assert subscription.get().shape == (0, 1024)


def test_a_taken_port_is_a_mistake_that_is_explained(sprayer: Peer) -> None:
    settings = SubscriptionSettings(sprayers=(sprayer.endpoint,), bind=sprayer.endpoint, shares=1)
    with pytest.raises(ConfigError, match="cannot receive UDP there"):
        SprayerSubscription(settings)
