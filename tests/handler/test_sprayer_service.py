"""Sprayers that pass on: chains, rings, and the handler that feeds them."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from handler_announcements import UNSIGNED
from handler_setup import loopback
from log_watch import LogWatch
from sprayer_peers import (
    PASSWORD,
    Peer,
    free_ports,
    joined_records,
    made_up_announcements,
    wait_until,
)

from packetcrypt.handler.sprayer_service import RunningSprayer, running_sprayer
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.protocol.errors import ConfigError


def _settings(**changes: Any) -> SprayerSettings:
    return SprayerSettings(
        **{
            "passwd": PASSWORD,
            "subscribe_passwd": PASSWORD,
            "bind": "127.0.0.1:0",
            "subscribe_bind": "127.0.0.1:0",
            **changes,
        }
    )


def _receivers(sprayer: RunningSprayer) -> int:
    return sprayer.statistics()[0].receivers


def _until_receivers(sprayer: RunningSprayer, count: int) -> None:
    wait_until(lambda: _receivers(sprayer) == count)


async def test_what_other_sprayers_send_is_passed_on_once() -> None:
    announcements = made_up_announcements(20)
    with Peer() as source, Peer() as miner:
        async with running_sprayer(_settings(subscribe=(str(source.endpoint),))) as sprayer:
            _, subscriber = source.next_subscription()
            miner.subscribe(sprayer.port)
            _until_receivers(sprayer, 1)
            source.udp.sendto(joined_records(range(50, 60), announcements[:10]), subscriber)
            source.udp.sendto(joined_records(range(60, 80), announcements), subscriber)
            _, records = miner.receive(20)

    assert records["counter"].tolist() == list(range(20))  # its own counters
    assert (records["announcement"] == announcements).all()
    assert sprayer.known == 10


async def test_a_ring_passes_an_announcement_around_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The first asks before the second is there, so it has to ask again.
    monkeypatch.setattr("packetcrypt.client.sprayer_subscription.RENEWAL_SECONDS", 0.1)
    first_port = free_ports()
    ports = (first_port, first_port + 1)
    rings = [
        _settings(bind=f"127.0.0.1:{own}", subscribe=(f"127.0.0.1:{other}",))
        for own, other in (ports, ports[::-1])
    ]
    announcements = made_up_announcements(100)
    with Peer() as miner:
        async with running_sprayer(rings[0]) as one, running_sprayer(rings[1]) as other:
            wait_until(lambda: _receivers(one) > 0 and _receivers(other) > 0)
            miner.subscribe(other.port)
            wait_until(lambda: _receivers(other) > 1)
            one.spray(announcements)
            _, records = miner.receive(25)
            wait_until(lambda: one.known > 0)

            statistics, _ = other.statistics()

    assert {bytes(r["announcement"]) for r in records} <= {bytes(a) for a in announcements}
    assert statistics.taken <= 100


async def test_it_logs_what_it_does() -> None:
    watch = LogWatch()
    logging.getLogger("packetcrypt").addHandler(watch)
    with Peer() as source:
        settings = _settings(subscribe=(str(source.endpoint),), statistics_interval=0.01)
        async with running_sprayer(settings):
            await watch.wait_for(lambda message: message.startswith("sprayer: taken 0 (0/s)"))
            await watch.wait_for(lambda message: message.endswith("malformed 0 known 0"))
    logging.getLogger("packetcrypt").removeHandler(watch)

    assert watch.messages[0].startswith("sprayer takes subscriptions at UDP port")


async def test_one_that_is_open_to_everybody_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running_sprayer(_settings(passwd="")):
        assert "from everybody: it has no passwd" in caplog.text


@pytest.mark.parametrize("name", ["bind", "subscribe_bind"])
async def test_a_port_in_use_is_a_mistake_that_is_explained(name: str) -> None:
    with Peer() as taken:
        settings = _settings(subscribe=("127.0.0.1:9",), **{name: str(taken.endpoint)})
        with pytest.raises(ConfigError, match="cannot receive UDP there"):
            async with running_sprayer(settings):
                pass


async def test_a_handler_sprays_what_it_credits_and_nothing_else(tmp_path: Path) -> None:
    with Peer() as miner:
        async with loopback(tmp_path, sprayer=_settings()) as pool:
            sprayer = pool.handler.sprayer
            assert sprayer is not None
            miner.subscribe(sprayer.port)
            await asyncio.to_thread(_until_receivers, sprayer, 1)
            bad = UNSIGNED.announcements[0][:-1] + b"!"
            await pool.post(UNSIGNED, *UNSIGNED.announcements[:2], bad)
            await pool.post(UNSIGNED, *UNSIGNED.announcements)
            _, records = await asyncio.to_thread(miner.receive, 3)
            taken = sprayer.statistics()[0].taken

    assert [one.tobytes() for one in records["announcement"]] == list(UNSIGNED.announcements)
    assert taken == 3
