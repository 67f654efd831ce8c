"""A handler that gives garbage costs a block miner time, and not one share.

The engine, the checker and HTTP are real; the pool is a scripted master, a block handler that
checks by the plain protocol, and an announcement handler that mixes everything bad with nine good
announcements.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from command_line import PAYMENT_ADDRESS
from handler_announcements import KNOWN_JOBS
from pktd_chain import HEIGHT, PktdChain
from scripted_pool import made_up_block

from packetcrypt.engine import AnnouncementChecker
from packetcrypt.engine.block_engine import BlockEngine
from packetcrypt.miner.block_miner import BlockMiner, BlockMinerTiming
from packetcrypt.miner.block_settings import BlockMinerSettings
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE, AnnouncementHeader
from packetcrypt.protocol.block_check import CheckedBlock, check_block
from packetcrypt.protocol.block_proof import decode_proof_sections
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact
from packetcrypt.protocol.pool_messages import BlockInfo, MasterConfig
from packetcrypt.protocol.share_messages import SharePost, ShareReply, ShareResult
from packetcrypt.protocol.work_file import BlockWork

SHARES = 5
SHARE_BITS = target_to_compact(target_of_work(5_000))
"""A share takes some ten thousand hashes with the three best announcements."""

GOOD = np.frombuffer(
    b"".join(b"".join(job.announcements) for job in KNOWN_JOBS if job.signing_key is None), np.uint8
).reshape(-1, 1024)
SIGNED = np.frombuffer(
    b"".join(b"".join(job.announcements) for job in KNOWN_JOBS if job.signing_key), np.uint8
).reshape(-1, 1024)

Announcements = npt.NDArray[np.uint8]


def chain() -> list[BlockInfo]:
    """The parents of the known announcements and the blocks after them, up to the tip."""
    hashes = {job.parent_height: job.parent_hash for job in KNOWN_JOBS}
    blocks: list[BlockInfo] = []
    for height in range(min(hashes) - 6, HEIGHT):
        block = made_up_block("hostile", height, blocks[-1] if blocks else None)
        blocks.append(replace(block, hash=hashes.get(height, block.hash)))
    return blocks


def garbage() -> dict[str, Announcements]:
    """Announcements that no share may use, by what is wrong with them."""
    random = np.random.default_rng(7)
    corrupted = np.repeat(GOOD, 8, axis=0)
    corrupted[np.arange(len(corrupted)), 88 + random.integers(0, 936, len(corrupted))] ^= 1
    renamed = GOOD.copy()
    renamed.view(ANNOUNCEMENT_DTYPE)["parent_height"] += 1
    future = GOOD.copy()
    future.view(ANNOUNCEMENT_DTYPE)["parent_height"] = HEIGHT + 50
    easier = GOOD.copy()
    easier.view(ANNOUNCEMENT_DTYPE)["work_bits"] = 0x1A00FFFF
    versioned = GOOD.copy()
    versioned.view(ANNOUNCEMENT_DTYPE)["version"] = 0
    return {
        "corrupted": corrupted,
        "of another parent": renamed,
        "of a block to come": future,
        "harder than they are": easier,
        "of another version": versioned,
        "signed with a foreign key": SIGNED,
        "random": random.integers(0, 256, (300, 1024), np.uint8),
        "duplicates": np.repeat(GOOD, 20, axis=0),
    }


@dataclass
class HostilePool:
    """The whole pool in one server."""

    work: BlockWork
    files: dict[str, bytes]
    url: str = ""
    verdicts: list[CheckedBlock] = field(default_factory=list)
    served: set[str] = field(default_factory=set)
    blocks: list[BlockInfo] = field(default_factory=chain)

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/config.json", self._config)
        application.router.add_get("/work_{height}.bin", self._work)
        application.router.add_get("/blkinfo_{hash}.json", self._block)
        application.router.add_get("/anns/index.json", self._index)
        application.router.add_get("/anns/{name}", self._file)
        application.router.add_post("/bh/submit", self._share)
        return application

    async def _config(self, _: web.Request) -> web.Response:
        tip = self.blocks[-1]
        config = MasterConfig(
            tip_hash=tip.hash,
            current_height=tip.height + 1,
            master_url=self.url,
            submit_ann_urls=(),
            download_ann_urls=(self.url,),
            submit_block_urls=(f"{self.url}/bh/submit",),
            paymaker_url=self.url,
            mine_old_anns=2,
            ann_target=0x207FFFFF,
        )
        return web.Response(body=config.encode())

    async def _work(self, request: web.Request) -> web.Response:
        if int(request.match_info["height"]) != self.work.height:
            raise web.HTTPNotFound
        return web.Response(body=self.work.encode())

    async def _block(self, request: web.Request) -> web.Response:
        wanted = bytes.fromhex(request.match_info["hash"])[::-1]
        return web.Response(body=next(b for b in self.blocks if b.hash == wanted).encode())

    async def _index(self, _: web.Request) -> web.Response:
        return web.json_response({"highestAnnFile": 99, "files": list(self.files)})

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.served.add(name)
        return web.Response(body=self.files[name])

    async def _share(self, request: web.Request) -> web.Response:
        post = SharePost.decode(await request.text())
        header = post.header_and_proof[:80]
        proof, _, _ = decode_proof_sections(post.header_and_proof[80:], end=False)
        heights = [AnnouncementHeader.decode(one).parent_height for one in proof.announcements]
        parents = [next(b.hash for b in self.blocks if b.height == h) for h in heights]
        self.verdicts.append(
            check_block(
                header,
                post.coinbase_commit,
                proof,
                self.work.height,
                self.work.share_target,
                parents,
                signatures=(),
            )
        )
        result = ShareResult(
            pay_to=PAYMENT_ADDRESS,
            block=False,
            time=1,
            event_id="00" * 16,
            target=1,
            ann_count=1,
            ann_target=1,
            encryptions=1,
        )
        return web.Response(body=ShareReply(result).encode())


@pytest.fixture
async def pool() -> AsyncIterator[HostilePool]:
    blocks = chain()
    template = PktdChain().template()
    header = replace(template.header, previous_hash=blocks[-1].hash, bits=SHARE_BITS)
    work = BlockWork(
        header=header,
        signing_key=bytes(32),
        share_target=SHARE_BITS,
        ann_target=0x207FFFFF,
        height=HEIGHT,
        coinbase_no_witness=template.coinbase_no_witness,
        merkle_branch=template.merkle_branch,
    )
    bad = [array.tobytes() for array in garbage().values()]
    files = {f"anns_{HEIGHT - 5}_0_{n}.bin": body for n, body in enumerate(bad, start=1)}
    files[f"anns_{HEIGHT - 5}_0_50.bin"] = b"".join(bad) + GOOD.tobytes() + bad[0]
    files[f"anns_{HEIGHT - 5}_0_60.bin"] = b"torn" * 300
    files[f"anns_{HEIGHT - 5}_0_70.bin"] = b""
    pool = HostilePool(work, files, blocks=blocks)
    async with TestServer(pool.application()) as server:
        pool.url = str(server.make_url("")).rstrip("/")
        yield pool


async def test_garbage_spoils_no_share(pool: HostilePool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    settings = BlockMinerSettings(
        pool=pool.url, payment_addr=PAYMENT_ADDRESS, memory_mb=16, threads=1, devices=("cpu",)
    )
    timing = BlockMinerTiming(poll=0.5, index=0.2, report=1.0)
    with (
        AnnouncementChecker(settings.devices, settings.threads) as checker,
        BlockEngine(settings.devices, settings.threads, memory_mb=16) as engine,
    ):
        miner = BlockMiner(settings, engine, checker, timing=timing)
        running = asyncio.create_task(miner.run())
        async with asyncio.timeout(240):
            while len(pool.verdicts) < SHARES or len(pool.served) < len(pool.files):
                assert not running.done(), running.result()
                await asyncio.sleep(0.05)
        stored = engine.statistics().store.count
        miner.stop()
        await running
    assert 0 < stored <= len(GOOD)
    assert [verdict.name for verdict in pool.verdicts if not verdict.is_good] == []
    assert "invalid announcements among" in caplog.text
    assert "ends within an announcement" in caplog.text
