"""Which sprayers cannot work, and what pool.toml is understood as."""

from pathlib import Path
from typing import Any

import pytest

from packetcrypt.client.udp import Endpoint
from packetcrypt.handler.settings_file import load_ann_handler_settings
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.handler.sprayer_settings_file import load_sprayer_settings
from packetcrypt.protocol.errors import ConfigError

SPRAYER = '[sprayer.s0]\npasswd = "spray"\n'
HANDLER = """\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "paid by work"
[ann_handler.ah0]
public_url = "http://pool.example/ah0"
"""
INNER = '[ann_handler.ah0.sprayer]\npasswd = "spray"\n'


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bind": "localhost"}, 'bind = "localhost": "localhost" is no UDP address'),
        ({"spray_at": ("a:1", "b")}, r'spray_at = \["a:1", "b"\]: "b" is no UDP address'),
        ({"subscribe": ("a:0",)}, r'subscribe = \["a:0"\]: "a:0" is no UDP address'),
        ({"subscribe_bind": "1"}, 'subscribe_bind = "1": "1" is no UDP address'),
        (
            {"subscribe_bind": "0.0.0.0:65533", "mcast": "239.77.0.1:6666"},
            'subscribe_bind = "0.0.0.0:65533": .* up to 65532',
        ),
        ({"mcast": "239.77.0.1"}, 'mcast = "239.77.0.1": "239.77.0.1" is no UDP address'),
        ({"mcast": "192.0.2.7:5"}, "is no IPv4 multicast group"),
        ({"max_datagram": 1031}, "max_datagram = 1031 cannot work: give 1032"),
        ({"max_local_datagram": 65508}, "max_local_datagram = 65508 cannot work"),
        ({"max_subscribers": 0}, "max_subscribers = 0 cannot work: give 1 or more"),
        ({"max_rate": 0}, "max_rate = 0 cannot work"),
        ({"queue_len": -1}, "queue_len = -1 cannot work"),
        ({"burst": 0}, "burst = 0 cannot work: give 1 to 65536"),
        ({"statistics_interval": 0.0}, "statistics_interval = 0.0 cannot work"),
    ],
)
def test_what_cannot_work(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SprayerSettings(passwd="", **changes)


def test_passwords_are_not_shown() -> None:
    shown = repr(SprayerSettings(passwd="secret", subscribe_passwd="secret"))
    assert "secret" not in shown


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pool.toml"


def _load(file: Path, text: str, name: str | None = None) -> SprayerSettings:
    file.write_text(text)
    return load_sprayer_settings(file, name)


def test_what_is_not_given_has_its_default(file: Path) -> None:
    assert _load(file, SPRAYER) == SprayerSettings(passwd="spray")
    assert SprayerSettings(passwd="spray").subscription is None


def test_all_settings_can_be_given(file: Path) -> None:
    settings = _load(
        file,
        SPRAYER
        + """
        bind = "[::]:7777"
        spray_at = ["192.0.2.7:1", "239.77.0.1:2"]
        subscribe = ["ah0.pool.example:6666"]
        subscribe_passwd = "y"
        subscribe_bind = "127.0.0.1:7000"
        mcast = "239.77.0.1:6666"
        max_datagram = 8972
        max_local_datagram = 1472
        max_subscribers = 1
        max_rate = 2
        burst = 3
        queue_len = 4
        statistics_interval = 5
        """,
    )

    assert settings.bind_endpoint == Endpoint("::", 7777)
    assert settings.fixed == (Endpoint("192.0.2.7", 1), Endpoint("239.77.0.1", 2))
    assert settings.statistics_interval == 5
    assert settings.subscription is not None
    assert settings.subscription.sprayers == (Endpoint("ah0.pool.example", 6666),)
    assert settings.subscription.password == "y"
    assert settings.subscription.bind == Endpoint("127.0.0.1", 7000)
    assert settings.subscription.group == Endpoint("239.77.0.1", 6666)
    assert settings.subscription.queue_capacity == 4


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[sprayer.s0]\n", 1, r'\[sprayer\.s0\] lacks "passwd": add e\.g\. passwd = '),
        (SPRAYER + "colour = 1\n", 3, r'"colour" is no setting in \[sprayer\.s0\]'),
        (SPRAYER + 'subscribe = "a:1"\n', 3, r'must be a list of strings.*e\.g\. subscribe = \["'),
        (SPRAYER + "subscribe = [1]\n", 3, "must be a list of strings"),
        (SPRAYER + 'mcast = "192.0.2.7:5"\n', 3, "is no IPv4 multicast group"),
        (SPRAYER + SPRAYER.replace("s0", "s1"), 1, "several sprayers: name one of s0, s1"),
        ("[sprayer]\npasswd = 1\n", 1, r"write the table as \[sprayer\.NAME\]"),
        ("speed = 1\n" + SPRAYER, 1, '"speed" is no setting at the top level'),
    ],
)
def test_mistakes_are_told_with_their_line(file: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"pool\.toml:{line}: .*{message}") as raised:
        _load(file, text)
    assert str(raised.value).count("pool.toml") == 1


def test_a_file_without_sprayers(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"it has no sprayer: add a table, e\.g\.\n\[sprayer\.s0"):
        _load(file, HANDLER)


def test_the_top_level_of_a_pool_is_not_needed_but_allowed(file: Path) -> None:
    assert _load(file, HANDLER + SPRAYER).passwd == "spray"


def test_a_handler_may_have_a_sprayer(file: Path) -> None:
    file.write_text(HANDLER + INNER)
    assert load_ann_handler_settings(file).sprayer == SprayerSettings(passwd="spray")


def test_a_handler_needs_no_sprayer(file: Path) -> None:
    file.write_text(HANDLER + SPRAYER)
    assert load_ann_handler_settings(file).sprayer is None


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (HANDLER + "sprayer = 1\n", 6, r"write it as \[ann_handler\.ah0\.sprayer\]"),
        (HANDLER + INNER + "burst = 0\n", 8, "burst = 0 cannot work"),
        (HANDLER + INNER + "colour = 0\n", 8, r"is no setting in \[ann_handler\.ah0\.sprayer\]"),
    ],
)
def test_mistakes_in_a_handlers_sprayer(file: Path, text: str, line: int, message: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=rf"pool\.toml:{line}: .*{message}"):
        load_ann_handler_settings(file)
