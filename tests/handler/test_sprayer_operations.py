"""What a sprayer of its own tells its operator over real HTTP, after known traffic."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from operations_reading import assert_as_declared, read_health, read_metrics
from sprayer_peers import Peer, joined_records, made_up_announcements, wait_until

from packetcrypt.handler.settings_file import load_ann_handler_settings
from packetcrypt.handler.sprayer_operations import (
    METRICS,
    SERVICE,
    SILENT_SECONDS,
    running_sprayer_service,
)
from packetcrypt.handler.sprayer_service import RunningSprayer
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.protocol.errors import ConfigError

PASSWORD = "a password that nobody may see"


def _settings(source: Peer, **changes: Any) -> SprayerSettings:
    return SprayerSettings(
        **{
            "passwd": PASSWORD,
            "subscribe": (str(source.endpoint),),
            "subscribe_passwd": PASSWORD,
            "bind": "127.0.0.1:0",
            "subscribe_bind": "127.0.0.1:0",
            "metrics_bind": "127.0.0.1:0",
            **changes,
        }
    )


@asynccontextmanager
async def _sprayer(
    source: Peer, **changes: Any
) -> AsyncIterator[tuple[RunningSprayer, str, aiohttp.ClientSession]]:
    async with (
        running_sprayer_service(_settings(source, **changes)) as service,
        aiohttp.ClientSession() as session,
    ):
        assert service.metrics_port is not None
        yield service.sprayer, f"http://127.0.0.1:{service.metrics_port}", session


async def test_metrics_after_known_traffic() -> None:
    announcements = made_up_announcements(20)
    with Peer() as source, Peer() as miner:
        async with _sprayer(source, spray_at=(str(miner.endpoint),)) as (sprayer, url, session):
            before = (await read_health(session, url))[1]
            _, subscriber = source.next_subscription()
            source.udp.sendto(joined_records(range(50, 60), announcements[:10]), subscriber)
            source.udp.sendto(joined_records(range(60, 80), announcements), subscriber)
            source.udp.sendto(b"no announcements", subscriber)
            await asyncio.to_thread(miner.receive, 20)
            await asyncio.to_thread(wait_until, lambda: sprayer.known == 10)
            await asyncio.to_thread(wait_until, lambda: sprayer.statistics()[0].sent == 20)
            await asyncio.to_thread(wait_until, lambda: _malformed(sprayer) == 1)
            status, after = await read_health(session, url)
            metrics = await read_metrics(session, url)

    assert before["status"] == "degraded"
    assert before["checks"]["sources"]["detail"].startswith("no announcement has come")
    assert (status, after["status"]) == (200, "ok")
    assert (after["service"], after["name"]) == ("sprayer", "")
    assert after["checks"].keys() == {"spraying", "forwarding", "sources"}
    wanted = {
        "taken_total": 20,
        "sent_total": 20,
        "dropped_total": 0,
        "failed_total": 0,
        "subscriptions_refused_total": 0,
        "receivers": 1,
        "received_total": 30,
        "known_total": 10,
        "received_dropped_total": 0,
        "received_lost": 0,
        "wrong_source_total": 0,
        "malformed_total": 1,
        "healthy": 1,
    }
    assert {name: metrics.value(f"packetcrypt_sprayer_{name}") for name in wanted} == wanted
    assert_as_declared(metrics, (*common_metrics(SERVICE), *METRICS))
    assert metrics.families.keys() >= {metric.name for metric in METRICS}


def _malformed(sprayer: RunningSprayer) -> int:
    received = sprayer.statistics()[1]
    assert received is not None
    return received.malformed


async def test_silence_is_told() -> None:
    with Peer() as source:
        async with _sprayer(source) as (sprayer, url, session):
            _, subscriber = source.next_subscription()
            source.udp.sendto(joined_records(range(1), made_up_announcements(1)), subscriber)
            await asyncio.to_thread(wait_until, lambda: sprayer.received_at is not None)
            assert sprayer.received_at is not None
            sprayer.received_at -= SILENT_SECONDS + 1
            status, health = await read_health(session, url)

    assert (status, health["status"]) == (200, "degraded")
    assert health["checks"]["sources"]["detail"] == "the last announcement came 61 s ago"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("broken", ["spraying", "forwarding"])
async def test_one_that_failed_cannot_work(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    class Ended:
        def __init__(self, *_: object) -> None:
            raise SystemExit  # ends a thread, and says nothing

    method = {
        "spraying": "packetcrypt.handler.sprayer.Pacer",
        "forwarding": "packetcrypt.handler.sprayer_service.RecentAnnouncements.add",
    }[broken]
    with Peer() as source:
        monkeypatch.setattr(method, Ended)
        async with _sprayer(source) as (sprayer, url, session):
            if broken == "forwarding":
                _, subscriber = source.next_subscription()
                source.udp.sendto(joined_records(range(1), made_up_announcements(1)), subscriber)
                await asyncio.to_thread(wait_until, lambda: not sprayer.is_forwarding)
            else:
                await asyncio.to_thread(wait_until, lambda: not sprayer.is_spraying)
            status, health = await read_health(session, url)

    assert (status, health["status"]) == (503, "degraded")
    assert not health["checks"][broken]["ok"]


async def test_nothing_secret_is_said() -> None:
    with Peer() as source:
        async with _sprayer(source) as (_, url, session):
            texts = [await (await session.get(url + p)).text() for p in ("/health", "/metrics")]
    assert not any(PASSWORD in text or str(source.endpoint) in text for text in texts)


async def test_without_the_setting_it_listens_nowhere() -> None:
    with Peer() as source:
        async with running_sprayer_service(_settings(source, metrics_bind="")) as service:
            assert service.metrics_port is None


async def test_an_address_that_is_taken_is_a_mistake_that_is_explained() -> None:
    with Peer() as source:
        async with _sprayer(source) as (_, url, _):
            taken = url.removeprefix("http://")
            with pytest.raises(ConfigError, match=f'metrics_bind = "{taken}": cannot listen'):
                async with running_sprayer_service(_settings(source, metrics_bind=taken)):
                    pass


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigError, match='metrics_bind = "8081" is no address to listen at'):
        SprayerSettings(passwd="", metrics_bind="8081")


def test_a_handlers_sprayer_has_none_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(
        'master_url = "http://pool.example/master"\nroot_workdir = "work"\n'
        'paymaker_http_password = "correct horse battery"\n'
        '[ann_handler.ah0]\npublic_url = "http://pool.example/ah0"\n'
        '[ann_handler.ah0.sprayer]\npasswd = "spray"\nmetrics_bind = "127.0.0.1:9"\n'
    )
    with pytest.raises(ConfigError, match=r"pool\.toml:8: metrics_bind = .*remove it here"):
        load_ann_handler_settings(file)
