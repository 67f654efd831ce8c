"""When pay logs reach the paymaker, and that they stay until they have."""

from dataclasses import replace
from pathlib import Path

import pytest
from handler_announcements import EASIEST, UNSIGNED
from handler_setup import Loopback, loopback


def _waiting(pool: Loopback) -> list[str]:
    return sorted(path.name for path in (pool.settings.workdir / "paylogs").iterdir())


async def test_pay_logs_are_uploaded_and_removed(tmp_path: Path) -> None:
    async with loopback(tmp_path, paylog_seconds=0.05) as pool:
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)
        await pool.paymaker.arrived.wait()

    assert pool.paymaker.events == [reply.body["result"]]
    assert _waiting(pool) == []


async def test_without_events_nothing_is_uploaded(tmp_path: Path) -> None:
    async with loopback(tmp_path, paylog_seconds=0.01) as pool:
        await pool.master.told()

    assert not pool.paymaker.arrived.is_set()


@pytest.mark.parametrize("answer", ["other event id", "nonsense", "internal error"])
async def test_what_is_not_confirmed_is_kept_and_uploaded_again_unchanged(
    tmp_path: Path, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with loopback(tmp_path, paylog_seconds=0.05) as pool:
        pool.paymaker.answer = answer
        await pool.post(UNSIGNED, *UNSIGNED.announcements)
        await pool.paymaker.arrived.wait()
        kept = _waiting(pool)
        await pool.post(EASIEST, *EASIEST.announcements)
        pool.paymaker.answer = "confirm"
        pool.paymaker.arrived.clear()
        await pool.paymaker.arrived.wait()

    assert kept == ["paylog_1.ndjson"]
    assert "pay logs wait in" in caplog.text
    assert [event["accepted"] for event in pool.paymaker.events] == [3, 3]
    assert _waiting(pool) == []


async def test_with_another_password_they_are_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with loopback(tmp_path) as pool:
        pool.paymaker.password = "another"
        await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert _waiting(pool) == ["paylog_1.ndjson"]
    assert "another password than paymaker_http_password" in caplog.text


async def test_a_paymaker_that_was_down_gets_everything_when_it_is_back(tmp_path: Path) -> None:
    async with loopback(tmp_path, paylog_seconds=0.05) as pool:
        config = pool.master.config
        # Nobody listens at port 1 of loopback.
        pool.master.config = replace(config, paymaker_url="http://127.0.0.1:1")
        await pool.master.told()
        await pool.post(UNSIGNED, *UNSIGNED.announcements)
        await pool.post(EASIEST, *EASIEST.announcements)
        pool.master.config = config
        await pool.paymaker.arrived.wait()

    assert [event["accepted"] for event in pool.paymaker.events] == [3, 3]


async def test_pay_logs_of_the_last_run_are_uploaded_too(tmp_path: Path) -> None:
    async with loopback(tmp_path) as pool:
        pool.paymaker.answer = "internal error"
        await pool.post(UNSIGNED, *UNSIGNED.announcements)

    async with loopback(tmp_path) as pool:
        await pool.post(EASIEST, *EASIEST.announcements)

    assert [event["accepted"] for event in pool.paymaker.events] == [3, 3]


async def test_a_handler_that_is_not_listed_any_more_still_uploads(tmp_path: Path) -> None:
    async with loopback(tmp_path) as pool:
        await pool.post(UNSIGNED, *UNSIGNED.announcements)
        pool.master.config = replace(pool.master.config, submit_ann_urls=())
        await pool.master.told()

    assert [event["accepted"] for event in pool.paymaker.events] == [3]


async def test_a_handler_that_stops_gives_a_hanging_paymaker_up(tmp_path: Path) -> None:
    async with loopback(tmp_path, shutdown_timeout=0.2) as pool:
        pool.paymaker.answer = "hang"
        await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert pool.paymaker.arrived.is_set()
    assert _waiting(pool) == ["paylog_1.ndjson"]
