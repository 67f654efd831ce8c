"""Who is let in, for how long, and what refusals cost."""

import logging

import pytest

from packetcrypt.handler.sprayer_subscribers import Subscribers
from packetcrypt.protocol.sprayer_messages import EXPIRY_SECONDS, Subscription

A = ("192.0.2.1", 5)
B = ("192.0.2.2", 5)
C = ("192.0.2.2", 6)


def _asking(password: str = "pw", number: int = 0, count: int = 1) -> bytes:
    return Subscription(password, number, count).encode()


@pytest.fixture
def subscribers() -> Subscribers:
    return Subscribers("pw", limit=2)


def test_whoever_knows_the_password_is_sprayed_at(subscribers: Subscribers) -> None:
    subscribers.hear(_asking(number=1, count=4), A, 0.0)

    (subscriber,) = subscribers.current
    assert (subscriber.address, subscriber.number, subscriber.share_count) == (A, 1, 4)
    assert subscribers.refused == 0


@pytest.mark.parametrize("password", ["", "p", "pw ", "PW", "pẃ", "\ud800"])
def test_whoever_does_not_is_refused(subscribers: Subscribers, password: str) -> None:
    subscribers.hear(_asking(password), A, 0.0)

    assert subscribers.current == ()
    assert subscribers.refused == 1


def test_without_a_password_everybody_with_none_is_let_in() -> None:
    subscribers = Subscribers("", limit=2)
    subscribers.hear(_asking(""), A, 0.0)
    subscribers.hear(_asking("guess"), B, 0.0)
    assert [subscriber.address for subscriber in subscribers.current] == [A]


def test_a_subscription_ends_unless_it_is_renewed(subscribers: Subscribers) -> None:
    subscribers.hear(_asking(), A, 0.0)
    subscribers.hear(_asking(), B, 0.0)
    subscribers.hear(_asking(), B, 5.0)

    subscribers.expire(EXPIRY_SECONDS - 0.1)
    assert len(subscribers.current) == 2
    subscribers.expire(EXPIRY_SECONDS)
    assert [subscriber.address for subscriber in subscribers.current] == [B]


def test_a_renewal_may_ask_for_another_share(subscribers: Subscribers) -> None:
    subscribers.hear(_asking(number=0, count=2), A, 0.0)
    subscribers.hear(_asking(number=1, count=2), A, 5.0)
    assert [subscriber.number for subscriber in subscribers.current] == [1]


def test_one_too_many_is_refused_but_the_others_may_renew(subscribers: Subscribers) -> None:
    for address in (A, B, C):
        subscribers.hear(_asking(), address, 0.0)
    subscribers.hear(_asking(), A, 5.0)

    assert [subscriber.address for subscriber in subscribers.current] == [A, B]
    assert subscribers.refused == 1


def test_where_nobody_listens_is_forgotten(subscribers: Subscribers) -> None:
    subscribers.hear(_asking(), A, 0.0)
    subscribers.forget(A)
    subscribers.forget(B)
    assert subscribers.current == ()


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"hello", "not JSON"),
        (_asking("guess"), "it has another password than `passwd`"),
        (_asking().ljust(600), "longer than 512 bytes"),
    ],
)
def test_refusals_are_logged_once_a_minute(
    subscribers: Subscribers, caplog: pytest.LogCaptureFixture, datagram: bytes, reason: str
) -> None:
    caplog.set_level(logging.INFO)
    for port in range(1000):
        subscribers.hear(datagram, ("192.0.2.1", port), 0.0)

    assert subscribers.refused == 1000
    (message,) = caplog.messages
    assert message.startswith("sprayer: a subscription from 192.0.2.1:0 is refused: ")
    assert reason in message
    assert "guess" not in message
