"""What happens when more posts come than can be checked."""

import asyncio
from pathlib import Path

from handler_announcements import UNSIGNED
from handler_plain_checker import PlainChecker
from handler_setup import loopback

POSTS = 8


async def test_a_full_queue_answers_overloaded_at_once_and_loses_nothing(tmp_path: Path) -> None:
    checker = PlainChecker()
    checker.open.clear()
    async with loopback(tmp_path, checker, input_queue_len=1) as pool:
        posts = {
            asyncio.create_task(pool.post(UNSIGNED, *UNSIGNED.announcements)) for _ in range(POSTS)
        }
        first, _ = await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        checker.open.set()
        replies = await asyncio.gather(*posts)
        statistics = pool.handler.statistics
    checker.close()

    refused = [reply for reply in replies if reply.status == 503]
    # Two batches of one post each are under way, one post waits.
    assert len(refused) >= POSTS - 3
    assert {task.result().status for task in first} == {503}
    assert all(reply.body["error"] == ["overloaded"] for reply in refused)
    assert all(reply.body["result"] is None for reply in refused)
    assert sum(reply.counts[0] for reply in replies if reply.status == 200) == 3
    assert statistics.overloaded == len(refused)
    assert statistics.accepted == 3


async def test_posts_that_wait_together_are_checked_together(tmp_path: Path) -> None:
    checker = PlainChecker()
    checker.open.clear()
    async with loopback(tmp_path, checker) as pool:
        posts = [
            asyncio.create_task(pool.post(UNSIGNED, one)) for one in UNSIGNED.announcements * 4
        ]
        await asyncio.to_thread(checker.asked.wait)
        checker.open.set()
        replies = await asyncio.gather(*posts)
    checker.close()

    assert sum(reply.counts[0] for reply in replies) == 3
    assert sum(reply.counts[1] for reply in replies) == 9
