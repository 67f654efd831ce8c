"""What outlives a run of the handler, what a kill takes with it, and how it follows the chain."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import handler_process
import pytest
from handler_announcements import EASIEST, HARDEST, UNSIGNED, KnownJob
from handler_master import ChangingMaster, changing_master, made_up_hash
from handler_plain_checker import PlainChecker
from handler_setup import PAY_TO, Loopback, handler_settings, loopback
from paymaker_stand_in import PASSWORD, PaymakerStandIn, paymaker_stand_in

from packetcrypt.handler.service import running_ann_handler
from packetcrypt.handler.workdir import WorkDir
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.pool_messages import (
    TRACKED_PARENTS,
    AnnouncementPostHeaders,
    post_event_id,
)


class TestRestart:
    async def test_credited_announcements_stay_duplicates(self, tmp_path: Path) -> None:
        async with loopback(tmp_path) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements[:2])

        async with loopback(tmp_path) as pool:
            reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert reply.counts == (1, 2, 0, 0)

    async def test_files_are_offered_again_under_the_same_names(self, tmp_path: Path) -> None:
        async with loopback(tmp_path, file_announcements=1) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)
            before = await pool.index()

        async with loopback(tmp_path) as pool:
            after = await pool.index()

        assert after == before
        assert after["files"] == ["anns_1000000_0_1.bin"]

    async def test_a_block_replaced_meanwhile_empties_its_height(self, tmp_path: Path) -> None:
        async with loopback(tmp_path) as pool:
            await pool.post(HARDEST, *HARDEST.announcements)

        async with loopback(tmp_path) as pool:
            # The first look at the master shows the same block again, the next one another.
            before = await pool.index()
            await _replace_tip(pool.master)
            after = await pool.index()

        assert len(before["files"]) == 1
        assert after["files"] == []

    async def test_one_folder_is_not_used_twice_at_once(self, tmp_path: Path) -> None:
        async with loopback(tmp_path) as pool:
            with pytest.raises(ConfigError, match="in use by another running service"):
                async with running_ann_handler(pool.settings, checker=pool.checker):
                    pass

    async def test_a_port_in_use_is_a_mistake_that_is_explained(self, tmp_path: Path) -> None:
        async with loopback(tmp_path) as pool:
            taken = replace(pool.settings, name="ah1", bind=f"127.0.0.1:{pool.handler.port}")
            with pytest.raises(ConfigError, match="cannot listen there"):
                async with running_ann_handler(taken, checker=pool.checker):
                    pass

            with WorkDir(taken.workdir):  # not left locked
                pass


class TestSharedFolder:
    async def test_two_handlers_keep_apart(self, tmp_path: Path) -> None:
        urls = ("http://pool.example/ah0/submit", "http://pool.example/ah1/submit")
        async with loopback(tmp_path, handler_urls=urls) as pool:
            other = handler_settings(tmp_path, pool.master.config.master_url, "ah1")
            async with running_ann_handler(other, checker=pool.checker) as handler:
                first = await pool.post(UNSIGNED, *UNSIGNED.announcements)
                second = await replace(pool, handler=handler).post(
                    UNSIGNED, *UNSIGNED.announcements
                )

        assert first.counts[0] + second.counts[0] == 3
        assert first.counts[3] == second.counts[0]


async def _replace_tip(master: ChangingMaster) -> None:
    master.add_block(made_up_hash(HARDEST.parent_height, branch=1), after=EASIEST.parent_hash)
    await master.told()


class TestRollback:
    async def test_announcements_of_a_replaced_block_are_invalid(self, pool: Loopback) -> None:
        await pool.post(HARDEST, *HARDEST.announcements)
        await _replace_tip(pool.master)

        reply = await pool.post(HARDEST, *HARDEST.announcements)

        assert reply.counts == (0, 0, 3, 0)

    async def test_their_files_are_withdrawn(self, tmp_path: Path) -> None:
        async with loopback(tmp_path, file_announcements=1) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)
            await pool.post(HARDEST, *HARDEST.announcements)
            await _replace_tip(pool.master)

            index = await pool.index()
            status, _ = await pool.get("/anns/anns_1000003_0_2.bin")

        assert index == {"highestAnnFile": 2, "files": ["anns_1000000_0_1.bin"]}
        assert status == 404

    async def test_a_withdrawn_number_is_not_used_again(self, tmp_path: Path) -> None:
        async with loopback(tmp_path, file_announcements=1) as pool:
            await pool.post(HARDEST, *HARDEST.announcements)
            await _replace_tip(pool.master)

        async with loopback(tmp_path, file_announcements=1) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)
            index = await pool.index()

        assert index["files"] == ["anns_1000000_0_2.bin"]

    async def test_a_block_that_comes_back_begins_anew(self, pool: Loopback) -> None:
        await pool.post(HARDEST, *HARDEST.announcements)
        await _replace_tip(pool.master)
        pool.master.set_tip(HARDEST.parent_hash)
        await pool.master.told()

        reply = await pool.post(HARDEST, *HARDEST.announcements)

        assert reply.counts == (3, 0, 0, 0)

    async def test_other_heights_keep_their_credits(self, pool: Loopback) -> None:
        await pool.post(UNSIGNED, *UNSIGNED.announcements)
        await _replace_tip(pool.master)

        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert reply.counts == (0, 3, 0, 0)

    async def test_a_chain_that_is_shorter_for_a_while_loses_nothing(self, pool: Loopback) -> None:
        await pool.post(HARDEST, *HARDEST.announcements)
        pool.master.set_tip(UNSIGNED.parent_hash)
        await pool.master.told()
        pool.master.set_tip(HARDEST.parent_hash)
        await pool.master.told()

        reply = await pool.post(HARDEST, *HARDEST.announcements)

        assert reply.counts == (0, 3, 0, 0)

    async def test_a_post_that_is_being_checked_meanwhile_is_not_credited(
        self, pool: Loopback
    ) -> None:
        assert isinstance(pool.checker, PlainChecker)
        pool.checker.open.clear()
        post = asyncio.create_task(pool.post(HARDEST, *HARDEST.announcements))
        await asyncio.to_thread(pool.checker.asked.wait)
        await _replace_tip(pool.master)
        pool.checker.open.set()

        reply = await post

        assert reply.counts == (0, 0, 3, 0)
        assert (await pool.index())["files"] == []


class TestNewBlocks:
    async def test_a_height_out_of_range_becomes_the_tip(self, pool: Loopback) -> None:
        pool.master.add_block(made_up_hash(1000004))
        await pool.master.told()

        reply = await pool.post(UNSIGNED, x_pc_worknum="1000005")

        assert reply.status == 200

    async def test_the_seventh_block_is_not_tracked_any_more(self, pool: Loopback) -> None:
        for height in range(1000004, 1000004 + TRACKED_PARENTS):
            pool.master.add_block(made_up_hash(height))
        await pool.master.told()

        reply = await pool.post(HARDEST, *HARDEST.announcements)

        assert reply.body["error"] == ["block number out of range, expect 1000009 got 1000003"]

    async def test_a_post_that_waited_meanwhile_is_credited(self, pool: Loopback) -> None:
        assert isinstance(pool.checker, PlainChecker)
        pool.checker.open.clear()
        post = asyncio.create_task(pool.post(HARDEST, *HARDEST.announcements))
        await asyncio.to_thread(pool.checker.asked.wait)
        for height in range(1000004, 1000004 + TRACKED_PARENTS):
            pool.master.add_block(made_up_hash(height))
        await pool.master.told()
        pool.checker.open.set()

        assert (await post).counts == (3, 0, 0, 0)


class TestStopping:
    async def test_posts_that_were_taken_in_are_finished(self, tmp_path: Path) -> None:
        checker = PlainChecker()
        checker.open.clear()
        async with loopback(tmp_path, checker) as pool:
            post = asyncio.create_task(pool.post(UNSIGNED, *UNSIGNED.announcements))
            await asyncio.to_thread(checker.asked.wait)
            # Opened only when the handler has begun to stop.
            asyncio.get_running_loop().call_later(0.1, checker.open.set)
        checker.close()

        assert (await post).counts == (3, 0, 0, 0)

    async def test_posts_that_cannot_be_finished_are_given_back(self, tmp_path: Path) -> None:
        checker = PlainChecker()
        checker.open.clear()
        async with loopback(tmp_path, checker, shutdown_timeout=0.1) as pool:
            post = asyncio.create_task(pool.post(UNSIGNED, *UNSIGNED.announcements))
            await asyncio.to_thread(checker.asked.wait)
        checker.close()

        assert (await post).status == 503

    async def test_files_are_published_and_the_pay_log_is_uploaded(self, tmp_path: Path) -> None:
        async with loopback(tmp_path) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert [event["accepted"] for event in pool.paymaker.events] == [3]
        assert (pool.settings.workdir / "anns" / "anns_1000000_0_1.bin").stat().st_size == 3072


class _Process:
    """The handler as a process; see handler_process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{port}/submit"

    async def post(
        self, session: aiohttp.ClientSession, job: KnownJob, announcement: bytes
    ) -> dict[str, int]:
        headers = AnnouncementPostHeaders(PAY_TO, job.work_number).encode()
        async with session.post(self._url, data=announcement, headers=headers) as response:
            result: dict[str, int] = (await response.json())["result"]
            return result

    async def end(self, number: signal.Signals) -> str:
        """Sends a signal and returns what the process wrote to its log."""
        self._process.send_signal(number)
        _, log = await self._process.communicate()
        return log.decode()


class TestKill:
    @asynccontextmanager
    async def _pool(self, root: Path) -> AsyncIterator[tuple[Path, PaymakerStandIn]]:
        async with changing_master() as master, paymaker_stand_in() as paymaker:
            master.config = replace(
                master.config,
                submit_ann_urls=("http://pool.example/ah0/submit",),
                paymaker_url=paymaker.url,
            )
            settings = root / "pool.toml"
            settings.write_text(
                f'master_url = "{master.config.master_url}"\n'
                f'root_workdir = "work"\npaymaker_http_password = "{PASSWORD}"\n'
                '[ann_handler.ah0]\npublic_url = "http://pool.example/ah0"\n'
                'bind = "127.0.0.1:0"\n'
            )
            yield settings, paymaker

    async def _start(self, settings: Path) -> _Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, handler_process.__file__, settings, "ah0"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        return _Process(process, int(await process.stdout.readline()))

    @pytest.mark.parametrize("replies_before", [1, 4])
    async def test_no_announcement_is_paid_twice_and_no_reply_is_broken(
        self, tmp_path: Path, replies_before: int
    ) -> None:
        announcements = [(job, one) for job in (UNSIGNED, EASIEST) for one in job.announcements]
        async with self._pool(tmp_path) as (settings, paymaker), aiohttp.ClientSession() as session:
            killed = await self._start(settings)
            posts = [asyncio.create_task(killed.post(session, *one)) for one in announcements]
            completed = asyncio.as_completed(posts)
            for _ in range(replies_before):
                await next(completed)
            log = await killed.end(signal.SIGKILL)
            replied = {
                post_event_id(one)
                for (_, one), outcome in zip(
                    announcements, await asyncio.gather(*posts, return_exceptions=True), strict=True
                )
                if isinstance(outcome, dict) and outcome["accepted"]
            }
            again = await self._start(settings)
            second = {
                post_event_id(one): await again.post(session, job, one)
                for job, one in announcements
            }
            log += await again.end(signal.SIGTERM)

        paid = Counter(event["eventId"] for event in paymaker.events)
        credited_again = {event for event, result in second.items() if result["accepted"]}
        assert len(replied) >= replies_before
        assert not replied & credited_again
        assert replied | credited_again <= paid.keys()
        assert set(paid.values()) == {1}
        assert all(result["accepted"] + result["dup"] == 1 for result in second.values())
        assert "Traceback" not in log
