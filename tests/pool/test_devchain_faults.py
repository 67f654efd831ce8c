"""What goes wrong on purpose, over real HTTP: chance is what a test says."""

import asyncio
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from devchain_setup import FIRST, devchain_loopback, raw_call

from packetcrypt.client.json_rpc import RpcBusy, RpcUnanswered
from packetcrypt.handler import connections
from packetcrypt.pool.devchain_faults import Failure, Faults
from packetcrypt.pool.devchain_node import ANCESTORS

TIP = FIRST + ANCESTORS - 1
HOUR = 3600.0


class ScriptedChance(random.Random):
    """Draws the numbers that it is given, then 0.99; of two endings, the given one.

    begun : set when the first number is drawn
    """

    def __init__(self, *drawn: float, ending: Failure = Failure.UNHEARD) -> None:
        super().__init__(5)
        self._drawn = iter(drawn)
        self._ending = ending
        self.begun = asyncio.Event()

    def random(self) -> float:
        self.begun.set()
        return next(self._drawn, 0.99)

    def choice(self, seq: Any) -> Any:
        assert self._ending in seq
        return self._ending


@pytest.mark.parametrize(
    ("faults", "outcomes"),
    [
        (Faults(0.0, 0.0, 0.0, 5.0), {(0.0, Failure.NONE)}),
        (Faults(1.0, 1.0, 0.0, 5.0), {(0.0, Failure.REFUSED)}),
        (Faults(0.0, 1.0, 0.0, 5.0), {(0.0, Failure.UNHEARD), (0.0, Failure.UNANSWERED)}),
        (Faults(0.0, 0.0, 1.0, 5.0), {(5.0, Failure.NONE)}),
        (Faults(1.0, 0.0, 1.0, 5.0), {(5.0, Failure.REFUSED)}),
    ],
)
def test_what_becomes_of_calls(faults: Faults, outcomes: Iterable[tuple[float, Failure]]) -> None:
    chance = random.Random(5)
    assert {faults.draw(chance) for _ in range(50)} == outcomes


@pytest.mark.parametrize(
    ("drawn", "failure"),
    [((0.29,), Failure.REFUSED), ((0.31, 0.19), Failure.UNHEARD), ((0.31, 0.21), Failure.NONE)],
)
def test_probabilities_are_of_single_calls(drawn: tuple[float, ...], failure: Failure) -> None:
    # The first draw is about the delay.
    chance = ScriptedChance(0.5, *drawn)
    assert Faults(0.3, 0.2, 0.0, 5.0).draw(chance) == (0.0, failure)


async def test_a_refused_call_is_not_carried_out(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path, refuse=1.0) as (chain, client):
        assert (await raw_call(chain.port, "devchain_addblock"))[0] == 503
        assert chain.node.tree.tip.height == TIP
        with pytest.raises(RpcBusy):
            await client.best_block_hash()


@pytest.mark.parametrize(
    ("ending", "added"), [(Failure.UNHEARD, 0), (Failure.UNANSWERED, 1)], ids=lambda one: str(one)
)
async def test_a_dropped_call_is_carried_out_or_not(
    tmp_path: Path, ending: Failure, added: int
) -> None:
    chance = ScriptedChance(ending=ending)
    async with devchain_loopback(tmp_path, chance, drop=1.0) as (chain, client):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await raw_call(chain.port, "devchain_addblock")
        assert chain.node.tree.tip.height == TIP + added
        with pytest.raises(RpcUnanswered):
            await client.best_block_hash()


async def test_a_late_call_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_REPLY_SECONDS", 0.1)  # for the late one, at the end
    chance = ScriptedChance(0.4)
    changes = {"delay": 0.5, "delay_seconds": HOUR}
    async with devchain_loopback(tmp_path, chance, **changes) as (chain, client):
        late = asyncio.create_task(client.best_block_hash())
        async with asyncio.timeout(30):
            await chance.begun.wait()
        assert await client.best_block_hash() == chain.node.tree.tip.hash
        assert not late.done()
        late.cancel()


async def test_a_late_call_is_answered_rightly(tmp_path: Path) -> None:
    async with devchain_loopback(tmp_path, delay=1.0, delay_seconds=0.01) as (chain, client):
        assert await client.best_block_hash() == chain.node.tree.tip.hash
