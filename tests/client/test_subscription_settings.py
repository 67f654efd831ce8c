"""Which subscriptions cannot work."""

from typing import Any

import pytest

from packetcrypt.client.subscription_settings import SubscriptionSettings
from packetcrypt.client.udp import Endpoint
from packetcrypt.protocol.errors import ConfigError

SPRAYER = Endpoint("192.0.2.7", 6666)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sprayers": ()}, "nobody to receive from"),
        ({"shares": 0}, "0 shares cannot work: give 1 to 64"),
        ({"shares": 65}, "65 shares cannot work"),
        (
            {"bind": Endpoint("0.0.0.0", 65533), "shares": 4},
            "first of 4 ports, .* up to 65532, or 0",
        ),
        ({"group": SPRAYER}, '"192.0.2.7:6666" is no IPv4 multicast group'),
    ],
)
def test_what_cannot_work(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SubscriptionSettings(**{"sprayers": (SPRAYER,), **changes})


def test_the_highest_ports_can_be_used() -> None:
    settings = SubscriptionSettings(sprayers=(SPRAYER,), bind=Endpoint("::", 65532), shares=4)
    assert settings.shares == 4


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(SubscriptionSettings(sprayers=(SPRAYER,), password="secret"))
