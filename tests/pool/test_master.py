"""The master over real HTTP, in front of a node that answers and fails as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.client.http import PoolNonsense, PoolNotReady
from packetcrypt.client.master import MasterClient
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.pool.devchain_templates import made_up_transactions
from packetcrypt.pool.master import Master, running_master
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.share_work import SigningKeys, WorkMaker
from packetcrypt.pool.work_files import PublishedWork, WorkFiles

NODE_AWAY = Fault(drops=True)


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as node:
        yield node


def settings(node: PktdStandIn, folder: Path, **changes: object) -> MasterSettings:
    base = MasterSettings(
        pool=PoolSettings(
            master_url="http://pool.example/master",
            root_workdir=folder,
            paymaker_http_password="word",
            private_seed="a long word",
        ),
        pktd=node.settings,
        ann_handlers=("http://pool.example/ah0", "http://pool.example/ah1/"),
        block_handlers=("http://pool.example/bh0",),
        paymaker_url="http://pool.example/paymaker",
        bind="127.0.0.1:0",
        poll_interval=0.02,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def master(
    node: PktdStandIn, folder: Path, **changes: object
) -> AsyncIterator[tuple[Master, MasterClient, aiohttp.ClientSession]]:
    async with (
        running_master(settings(node, folder, **changes)) as running,
        aiohttp.ClientSession(base_url=f"http://127.0.0.1:{running.port}") as session,
    ):
        yield running, MasterClient(session, f"http://127.0.0.1:{running.port}"), session


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.01)


async def new_tip(client: MasterClient, before: bytes) -> None:
    async def is_new() -> bool:
        return (await client.config()).tip_hash != before

    await until(is_new)


async def test_the_configuration(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, client, session):
        config = await client.config()
        response = await session.get("/config.json")
    assert config.tip_hash == node.chain.tip.hash
    assert config.current_height == node.chain.tip.height + 1
    assert config.submit_ann_urls == (
        "http://pool.example/ah0/submit",
        "http://pool.example/ah1/submit",
    )
    assert config.download_ann_urls == ("http://pool.example/ah0", "http://pool.example/ah1")
    assert config.submit_block_urls == ("http://pool.example/bh0/submit",)
    assert response.headers["Cache-Control"] == "max-age=8 stale-while-revalidate=2"


async def test_work_and_template_of_the_current_height(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, client, session):
        height = (await client.config()).current_height
        work, template = await client.work(height), await client.block_template(height)
        response = await session.get(f"/work_{height}.bin")
    assert template == node.chain.template()
    maker = WorkMaker(0x2001FFFF, 4, SigningKeys("a long word"))
    assert work == maker.make(template).work
    assert "immutable" in response.headers["Cache-Control"]


async def test_the_path_of_master_url_may_come_along(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, _, session):
        assert (await session.get("/master/config.json")).status == 200


async def test_a_new_block_wakes_those_who_wait(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, client, _):
        height = (await client.config()).current_height
        waiting = [asyncio.create_task(client.wait_for_work(height + 1)) for _ in range(20)]
        await asyncio.sleep(0.05)
        node.chain.add_made_up_block()
        async with asyncio.timeout(30):
            works = await asyncio.gather(*waiting)
        assert {work.height for work in works if work is not None} == {height + 1}
        assert None not in works
        old = await client.work(height)
        assert old.height == height


async def test_stopping_ends_the_waiting(node: PktdStandIn, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with master(node, tmp_path) as (running, client, _):
            url = f"http://127.0.0.1:{running.port}"
            height = (await client.config()).current_height
            waiting = asyncio.create_task(MasterClient(session, url).wait_for_work(height + 1))
            await asyncio.sleep(0.05)
        assert await waiting is None


async def test_waiting_ends_with_try_again(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.pool.master_server.LONG_POLL_SECONDS", 0.05)
    async with master(node, tmp_path) as (_, client, session):
        height = (await client.config()).current_height
        assert await client.wait_for_work(height + 1) is None
        response = await session.get(f"/work_{height + 1}.bin")
    assert response.status == 300
    assert response.headers["x-pc-longpoll"] == "try-again"
    assert response.headers["Cache-Control"] == "no-store"


async def test_who_waits_for_a_height_that_is_passed_over_asks_again(
    node: PktdStandIn, tmp_path: Path
) -> None:
    async with master(node, tmp_path) as (_, client, _):
        height = (await client.config()).current_height
        waiting = asyncio.create_task(client.wait_for_work(height + 1))
        await asyncio.sleep(0.05)
        for _ in range(3):
            node.chain.add_made_up_block()
        async with asyncio.timeout(30):
            assert await waiting is None


async def test_older_work_is_read_once(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    load = WorkFiles.load

    def counted(files: WorkFiles, height: int) -> PublishedWork | None:
        reads.append(height)
        return load(files, height)

    async with master(node, tmp_path) as (_, client, session):
        config = await client.config()
        height = config.current_height
        node.chain.add_made_up_block()
        await new_tip(client, config.tip_hash)
        monkeypatch.setattr(WorkFiles, "load", counted)
        for _ in range(3):
            for kind in ("work", "bt"):
                assert (await session.get(f"/{kind}_{height}.bin")).status == 200
    assert reads == [height]


@pytest.mark.parametrize("offset", [-1000, -1, 2, 1000])
async def test_heights_that_are_not_mined(node: PktdStandIn, tmp_path: Path, offset: int) -> None:
    async with master(node, tmp_path) as (_, client, session):
        height = (await client.config()).current_height + offset
        for kind in ("work", "bt"):
            assert (await session.get(f"/{kind}_{height}.bin")).status == 404


async def test_block_information_with_the_pools_key(node: PktdStandIn, tmp_path: Path) -> None:
    tip = node.chain.tip
    async with master(node, tmp_path) as (_, client, _):
        asked = node.count("getblockheader")
        for _ in range(3):
            info = await client.blkinfo(tip.hash[::-1].hex())
        assert node.count("getblockheader") == asked + 1
    key = SigningKeys("a long word").key_of_parent(tip.height)
    assert info == replace(tip, signing_key=key)


async def test_so_many_blocks_are_remembered_and_no_more(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.pool.master_server._KNOWN_BLOCKS", 1)
    node.chain.add_made_up_block()
    first, second = (block.hash[::-1].hex() for block in node.chain.blocks[-2:])
    async with master(node, tmp_path) as (_, client, _):
        asked = node.count("getblockheader")
        for block_hash in (first, first, second, second, first):
            await client.blkinfo(block_hash)
        assert node.count("getblockheader") == asked + 3


async def test_an_unknown_block_is_not_found(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, client, session):
        with pytest.raises(PoolNonsense, match="404"):
            await client.blkinfo("ab" * 32)
        assert (await session.get("/blkinfo_xyz.json")).status == 404


async def test_it_starts_without_its_node(node: PktdStandIn, tmp_path: Path) -> None:
    node.faults["getbestblockhash"] = NODE_AWAY
    async with master(node, tmp_path) as (_, client, session):
        with pytest.raises(PoolNotReady):
            await client.config()
        assert (await session.get(f"/work_{node.chain.tip.height + 1}.bin")).status == 500
        node.faults.clear()

        async def is_ready() -> bool:
            return (await session.get("/config.json")).status == 200

        await until(is_ready)


async def test_it_serves_on_while_the_node_is_away(
    node: PktdStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with master(node, tmp_path) as (_, client, session):
        config = await client.config()
        for method in ("getbestblockhash", "getblockheader"):
            node.faults[method] = NODE_AWAY

        async def is_told() -> bool:
            return "What is published stays" in caplog.text

        await until(is_told)
        assert await client.config() == config
        assert (await client.work(config.current_height)).height == config.current_height
        assert (await session.get(f"/blkinfo_{'ab' * 32}.json")).status == 500
        node.faults.clear()
        node.chain.add_made_up_block()
        await new_tip(client, config.tip_hash)


async def test_a_restart_changes_no_work(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, client, session):
        height = (await client.config()).current_height
        before = await (await session.get(f"/work_{height}.bin")).read()
    others = node.chain.others
    node.chain.others += made_up_transactions(height, b"came later")
    async with master(node, tmp_path) as (_, client, session):
        assert await (await session.get(f"/work_{height}.bin")).read() == before
        assert (await client.block_template(height)).transactions[1:] == others


async def test_a_reorganisation_at_the_same_height(node: PktdStandIn, tmp_path: Path) -> None:
    async with master(node, tmp_path) as (_, client, _):
        config = await client.config()
        old = await client.work(config.current_height)
        last = node.chain.blocks.pop()
        node.chain.others += made_up_transactions(last.height, b"of the other block")
        node.chain.blocks.append(replace(last, hash=b"\x09" * 32))
        await new_tip(client, config.tip_hash)
        work = await client.work(config.current_height)
    assert work.header.previous_hash == b"\x09" * 32 != old.header.previous_hash
