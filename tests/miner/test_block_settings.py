"""What a block miner can be told, and what it refuses."""

import pytest
from command_line import PAYMENT_ADDRESS

from packetcrypt.client.udp import Endpoint
from packetcrypt.miner.block_settings import AnnouncementTrust, BlockMinerSettings
from packetcrypt.protocol.errors import ConfigError

GOOD = {"pool": "http://pool.example", "payment_addr": PAYMENT_ADDRESS}


def test_the_defaults_are_the_existing_miners() -> None:
    settings = BlockMinerSettings(**GOOD)  # type: ignore[arg-type]
    assert (settings.memory_mb, settings.downloaders, settings.min_free) == (4096, 30, 0.1)
    assert (settings.upload_timeout, settings.uploaders) == (30.0, 4)
    assert settings.trust is AnnouncementTrust.NONE
    assert settings.subscription is None


def test_sprayers_are_subscribed_to_with_the_handlers_password() -> None:
    settings = BlockMinerSettings(
        **GOOD,  # type: ignore[arg-type]
        handler_pass="word",
        sprayers=("192.0.2.7:6666", "[2001:db8::7]:6667"),
        bind="0.0.0.0:7777",
        sprayer_shares=2,
        mcast="239.77.0.1:6666",
    )
    subscription = settings.subscription
    assert subscription is not None
    assert subscription.sprayers == (Endpoint("192.0.2.7", 6666), Endpoint("2001:db8::7", 6667))
    assert (subscription.password, subscription.shares) == ("word", 2)
    assert subscription.bind == Endpoint("0.0.0.0", 7777)
    assert subscription.group == Endpoint("239.77.0.1", 6666)


def test_the_password_is_not_shown() -> None:
    assert "word" not in repr(BlockMinerSettings(**GOOD, handler_pass="word"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("payment_addr", "nobody", "payment address"),
        ("pool", "pool.example", "not the URL of a service"),
        ("threads", 0, "threads is 0"),
        ("memory_mb", 15, "memory .MB. is 15"),
        ("downloaders", 0, "downloaders is 0"),
        ("uploaders", 0, "uploaders is 0"),
        ("min_free", 0.95, "minimum free fraction is 0.95"),
        ("upload_timeout", 0.5, "upload timeout is 0.5"),
        ("devices", (), "devices: the list is empty"),
        ("sprayers", ("192.0.2.7",), "192.0.2.7"),
        ("mcast", "192.0.2.7:6666", "192.0.2.7:6666"),
    ],
)
def test_what_cannot_work_is_refused(setting: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BlockMinerSettings(**{**GOOD, setting: value})  # type: ignore[arg-type]
