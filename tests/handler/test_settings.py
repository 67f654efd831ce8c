"""Which settings can work."""

from pathlib import Path

import pytest
from handler_setup import handler_settings

from packetcrypt.handler.settings import AnnHandlerSettings, PoolSettings
from packetcrypt.protocol.errors import ConfigError


def _settings(**changes: object) -> AnnHandlerSettings:
    return handler_settings(Path("work"), "http://pool.example/master", **changes)  # type: ignore[arg-type]


def test_the_master_must_list_the_public_url_with_submit() -> None:
    assert _settings(public_url="http://a.example/x/").submit_url == "http://a.example/x/submit"


def test_each_handler_has_its_own_folder() -> None:
    assert _settings(name="ah7").workdir == Path("work/ann_handler_ah7")


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("127.0.0.1:8081", ("127.0.0.1", 8081)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_addresses(bind: str, address: tuple[str, int]) -> None:
    assert _settings(bind=bind).address == address


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bind": "8081"}, "no address to listen at"),
        ({"bind": ":8081"}, "no address to listen at"),
        ({"bind": "127.0.0.1:http"}, "no address to listen at"),
        ({"bind": "127.0.0.1:65536"}, "no address to listen at"),
        ({"public_url": "pool.example"}, "no HTTP URL"),
        ({"public_url": "http://[pool"}, "no HTTP URL"),
        ({"public_url": "http://pool.example/a/submit"}, 'give "http://pool.example/a"'),
        ({"name": "../ah0"}, "cannot be the name of a handler"),
        ({"name": ""}, "cannot be the name of a handler"),
        ({"input_queue_len": 0}, "input_queue_len = 0 cannot work"),
        ({"files_to_keep": -1}, "files_to_keep = -1 cannot work"),
        ({"threads": -1}, "threads = -1 cannot work"),
        ({"poll_interval": 0.0}, "poll_interval = 0.0 cannot work"),
        ({"request_timeout": float("nan")}, "request_timeout = nan cannot work"),
        ({"idle_timeout": float("inf")}, "idle_timeout = inf cannot work"),
    ],
)
def test_impossible_settings(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _settings(**changes)

    assert message in str(raised.value)


def test_passwords_are_not_shown() -> None:
    pool = PoolSettings(master_url="http://a", root_workdir=Path(), paymaker_http_password="secret")
    settings = AnnHandlerSettings(
        pool=pool, name="a", public_url="http://a", block_miner_passwd="secret"
    )

    assert "secret" not in repr(settings)
