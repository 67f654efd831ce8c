"""That something is done regularly, and how it ends."""

import asyncio

import pytest

from packetcrypt.handler.regular_task import RegularTask


async def test_it_is_repeated_until_it_is_finished() -> None:
    rounds = asyncio.Semaphore(0)

    async def action() -> None:
        rounds.release()

    task = RegularTask(0.001, action)
    for _ in range(3):
        await rounds.acquire()
    await task.finish(10)


async def test_a_failure_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    done = asyncio.Event()
    failures = [OSError("disk full"), OSError("disk full")]

    async def action() -> None:
        if failures:
            raise failures.pop()
        done.set()

    task = RegularTask(0.001, action)
    await done.wait()
    await task.finish(10)

    assert caplog.text.count("disk full; it is tried again in 0.001 s") == 2


async def test_finishing_waits_for_the_round_under_way() -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def action() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    task = RegularTask(0.001, action)
    await begun.wait()
    finishing = asyncio.create_task(task.finish(10))
    may_end.set()
    await finishing

    assert ended.is_set()


async def test_finishing_does_not_wait_for_ever() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def action() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    task = RegularTask(0.001, action)
    await begun.wait()
    await task.finish(0.01)

    assert cancelled.is_set()


async def test_finishing_before_the_first_round_is_at_once() -> None:
    async def action() -> None:
        raise AssertionError("an hour is not over")

    await RegularTask(3600, action).finish(10)
