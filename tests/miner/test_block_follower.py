"""New work is noticed at once, and a pool that is down is waited for; the master is a real one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
from block_miner_parts import made_share
from pktd_chain import PktdChain
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in
from pool_processes import free_port
from scripted_pool import ScriptedPool

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.master import MasterClient
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.miner.block_follower import BlockFollower, BlockMinerView
from packetcrypt.miner.chain import ParentHashes
from packetcrypt.pool.master import running_master
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.protocol.pool_messages import MasterConfig
from packetcrypt.protocol.work_file import BlockWork

FAR_TOO_LONG = 3600.0
"""an interval in which nobody polls again: what is noticed is noticed by waiting for work"""


class Followed:
    """A follower that runs, and the views that it told."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        interval: float,
        master: MasterClient | None = None,
    ) -> None:
        master = master or MasterClient(session, url)
        self.views: list[BlockMinerView] = []
        self.parents = ParentHashes(master)
        complaints = Complaints(logging.getLogger(__name__))
        self.follower = BlockFollower(master, self.parents, complaints, self._take, interval)

    async def _take(self, view: BlockMinerView) -> None:
        self.views.append(view)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - it comes true in a server
                await asyncio.sleep(0.01)


@asynccontextmanager
async def following(url: str, interval: float = FAR_TOO_LONG) -> AsyncIterator[Followed]:
    async with aiohttp.ClientSession() as session:
        followed = Followed(url, session, interval)
        task = asyncio.create_task(followed.follower.follow())
        try:
            yield followed
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in(PktdChain()) as node:
        yield node


@pytest.fixture
async def master(node: PktdStandIn, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a master in front of the node, which its own configuration names too."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = MasterSettings(
        pool=PoolSettings(master_url=url, root_workdir=tmp_path, paymaker_http_password="word"),
        pktd=node.settings,
        paymaker_url="http://127.0.0.1:9",
        bind=f"127.0.0.1:{port}",
        poll_interval=0.02,
    )
    async with running_master(settings):
        yield url


async def test_the_first_view(node: PktdStandIn, master: str) -> None:
    async with following(master) as followed:
        await followed.until(lambda: bool(followed.views))
        [view] = followed.views
    assert view.work.height == view.config.current_height == node.chain.tip.height + 1
    assert view.work.header.previous_hash == node.chain.tip.hash
    assert view.replaced == frozenset()
    assert followed.parents.tip_height == node.chain.tip.height


async def test_new_work_is_noticed_by_waiting_for_it(node: PktdStandIn, master: str) -> None:
    async with following(master) as followed:
        await followed.until(lambda: bool(followed.views))
        for number in (2, 3):
            node.chain.add_made_up_block()
            await followed.until(lambda number=number: len(followed.views) == number)
    heights = [view.work.height for view in followed.views]
    assert heights == [heights[0], heights[0] + 1, heights[0] + 2]


async def test_a_reorganisation_names_the_replaced_heights(node: PktdStandIn, master: str) -> None:
    async with following(master, interval=0.02) as followed:
        await followed.until(lambda: bool(followed.views))
        node.chain.blocks[-1] = replace(node.chain.tip, hash=b"\x09" * 32)
        await followed.until(lambda: len(followed.views) == 2)
    assert followed.views[1].replaced == {node.chain.tip.height}
    assert followed.views[1].work.header.previous_hash == b"\x09" * 32


async def test_a_master_that_is_not_ready_is_waited_for(
    node: PktdStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node.faults["getbestblockhash"] = Fault(drops=True)
    settings = MasterSettings(
        pool=PoolSettings(
            master_url="http://127.0.0.1:9", root_workdir=tmp_path, paymaker_http_password="word"
        ),
        pktd=node.settings,
        paymaker_url="http://127.0.0.1:9",
        bind="127.0.0.1:0",
        poll_interval=0.02,
    )
    async with running_master(settings) as running:
        url = f"http://127.0.0.1:{running.port}"
        async with following(url, interval=0.02) as followed:
            await followed.until(lambda: "is not ready" in caplog.text)
            assert followed.views == []


async def test_a_url_that_is_no_pools_ends_it() -> None:
    async with ScriptedPool() as pool, aiohttp.ClientSession() as session:
        followed = Followed(f"{pool.url}/nothing", session, FAR_TOO_LONG)
        with pytest.raises(PoolNonsense, match="is not a PacketCrypt pool"):
            await followed.follower.follow()


async def test_a_pool_that_has_no_work_yet_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async with ScriptedPool() as pool, following(pool.url, interval=0.02) as followed:
        await followed.until(lambda: "answered 404" in caplog.text)
        tip = pool.chain[-1]
        work = made_share(previous_hash=tip.hash).work
        pool.work = replace(work, height=tip.height + 1)
        await followed.until(lambda: bool(followed.views))
    assert followed.views[0].work == pool.work


async def test_work_and_configuration_of_different_moments_are_not_mined() -> None:
    async with ScriptedPool() as pool:
        tip = pool.chain[-1]
        other = made_share(previous_hash=b"\x07" * 32).work
        pool.work = replace(other, height=tip.height + 1)
        async with following(pool.url, interval=0.02) as followed:
            await followed.until(lambda: len(pool.requests) > 6)
            assert followed.views == []


class ImpatientMaster(MasterClient):
    """Says at once that there is new work, when there is none; as behind a cache that has the old
    configuration while the new work is out."""

    def __init__(self, pool: ScriptedPool, session: aiohttp.ClientSession) -> None:
        super().__init__(session, pool.url)
        self._pool = pool
        self.polls: list[float] = []

    async def config(self) -> MasterConfig:
        self.polls.append(asyncio.get_running_loop().time())
        return self._pool.config()

    async def work(self, height: int) -> BlockWork:
        tip = self._pool.chain[-1]
        return replace(made_share(previous_hash=tip.hash).work, height=tip.height + 1)

    async def wait_for_work(self, height: int) -> None:
        return None


async def test_a_master_that_calls_for_nothing_is_not_stormed() -> None:
    async with ScriptedPool() as pool, aiohttp.ClientSession() as session:
        master = ImpatientMaster(pool, session)
        followed = Followed(pool.url, session, FAR_TOO_LONG, master)
        task = asyncio.create_task(followed.follower.follow())
        await followed.until(lambda: len(master.polls) == 4)
        task.cancel()
        await asyncio.wait([task])
    between = [after - before for before, after in pairwise(master.polls)]
    assert len(followed.views) == 1
    assert between[1] >= 0.24
    assert between[2] >= 0.49
