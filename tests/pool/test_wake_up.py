"""Waking many: everybody once, in order, and others get their turn meanwhile."""

import asyncio
from itertools import pairwise

from packetcrypt.pool.wake_up import WakeUp

MANY = 1000


async def waiting(signal: WakeUp, count: int) -> None:
    """Until so many wait."""
    async with asyncio.timeout(30):
        while len(signal) < count:  # noqa: ASYNC110 - the others tell nobody that they wait
            await asyncio.sleep(0)


async def test_all_are_woken_in_the_order_in_which_they_came() -> None:
    signal = WakeUp()
    order: list[int] = []

    async def wait(number: int) -> None:
        assert await signal.wait(30)
        order.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(MANY)]
    await waiting(signal, MANY)
    await signal.wake()
    await asyncio.gather(*tasks)

    assert order == list(range(MANY))
    assert len(signal) == 0


async def test_others_have_their_turn_while_many_are_woken() -> None:
    signal = WakeUp()
    woken = 0
    seen_by_others: list[int] = []

    async def wait() -> None:
        nonlocal woken
        await signal.wait(30)
        woken += 1

    async def others() -> None:
        while woken < MANY:
            await asyncio.sleep(0)
            seen_by_others.append(woken)

    tasks = [asyncio.create_task(wait()) for _ in range(MANY)]
    await waiting(signal, MANY)
    other = asyncio.create_task(others())
    await signal.wake()
    await asyncio.gather(*tasks, other)

    steps = [after - before for before, after in pairwise([0, *seen_by_others])]
    assert max(steps) <= MANY / 10


async def test_who_comes_while_others_are_woken_waits_for_the_next_time() -> None:
    signal = WakeUp()

    async def wait_twice() -> list[bool]:
        return [await signal.wait(30), await signal.wait(0.01)]

    tasks = [asyncio.create_task(wait_twice()) for _ in range(100)]
    await waiting(signal, 100)
    await signal.wake()

    assert await asyncio.gather(*tasks) == [[True, False]] * 100


async def test_nobody_waits_longer_than_he_said() -> None:
    signal = WakeUp()

    assert not await signal.wait(0.01)
    assert len(signal) == 0


async def test_who_went_away_is_forgotten() -> None:
    signal = WakeUp()
    gone = asyncio.create_task(signal.wait(30))
    stays = asyncio.create_task(signal.wait(30))
    await waiting(signal, 2)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    assert len(signal) == 1
    await signal.wake()
    assert await stays
