"""In which order an announcement is credited, and what happens when a step fails."""

import json
import shutil
from pathlib import Path

import pytest
from handler_announcements import EASIEST, UNSIGNED
from handler_setup import Loopback


def _contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*_*"))]


async def test_when_the_reply_comes_announcements_and_pay_log_are_written(
    pool: Loopback,
) -> None:
    await pool.post(UNSIGNED, *UNSIGNED.announcements)

    workdir = pool.settings.workdir
    assert _contents(workdir / "anns") == [b"".join(UNSIGNED.announcements)]
    assert _contents(workdir / "paylogs")[0].count(b"\n") == 1


async def test_the_pay_log_says_what_the_reply_says(pool: Loopback) -> None:
    reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    logged = (pool.settings.workdir / "paylogs" / "paylog_1.ndjson").read_text()
    assert logged.endswith("\n")
    assert json.loads(logged) == reply.body["result"]


async def test_a_post_without_any_good_announcement_is_not_logged(pool: Loopback) -> None:
    await pool.post(UNSIGNED, bytes(1024))
    await pool.post(UNSIGNED)

    assert _contents(pool.settings.workdir / "paylogs") == []
    assert _contents(pool.settings.workdir / "anns") == []


async def test_without_a_pay_log_nothing_is_credited(pool: Loopback) -> None:
    paylogs = pool.settings.workdir / "paylogs"
    shutil.rmtree(paylogs)
    failed = await pool.post(UNSIGNED, *UNSIGNED.announcements)
    files = _contents(pool.settings.workdir / "anns")
    paylogs.mkdir()

    again = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert failed.status == 500
    assert failed.body["result"]["internalErr"] == 3
    assert files == [b""]
    assert again.counts == (3, 0, 0, 0)


async def test_without_announcement_files_nothing_is_paid(pool: Loopback) -> None:
    announcements = pool.settings.workdir / "anns"
    shutil.rmtree(announcements)
    failed = await pool.post(UNSIGNED, *UNSIGNED.announcements)
    announcements.mkdir()

    again = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert failed.body["result"]["internalErr"] == 3
    assert again.counts == (3, 0, 0, 0)


async def test_a_failure_is_told_in_the_log_but_not_with_every_post(
    pool: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    paylogs = pool.settings.workdir / "paylogs"
    shutil.rmtree(paylogs)
    for one in EASIEST.announcements:
        await pool.post(EASIEST, one)
    paylogs.mkdir()

    assert caplog.text.count("announcements were not checked or not written") == 1
