"""A share is looked at as the node will look at it, before it is sent."""

from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from dataclasses import replace

import aiohttp
import numpy as np
import numpy.typing as npt
import pytest
from block_shares import MinedShare, mine_share
from handler_announcements import KNOWN_JOBS
from pktd_chain import HEIGHT, PktdChain
from scripted_pool import ScriptedPool, made_up_block

from packetcrypt.client.master import MasterClient
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.miner.chain import ParentHashes
from packetcrypt.miner.share_check import ShareChecker
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.validation import check_announcement
from packetcrypt.protocol.work_file import BlockWork


class PlainChecker:
    """The protocol's own check behind the interface of the devices' one."""

    def submit(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> Future[CheckedAnnouncements]:
        results = [
            check_announcement(row.tobytes(), parent.tobytes()).result
            for row, parent in zip(announcements, parent_hashes, strict=True)
        ]
        answer: Future[CheckedAnnouncements] = Future()
        hashes = np.zeros((len(results), 32), np.uint8)
        keys = np.zeros(len(results), np.uint64)
        answer.set_result(CheckedAnnouncements(np.array(results, np.uint8), hashes, keys))
        return answer


class UselessChecker:
    """Fails at once, or never answers."""

    def __init__(self, *, fails: bool) -> None:
        self._fails = fails

    def submit(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> Future[CheckedAnnouncements]:
        if self._fails:
            raise DeviceError("device 0:0 is on fire.")
        return Future()


@pytest.fixture(scope="module")
def work() -> BlockWork:
    return PktdChain().work()


@pytest.fixture(scope="module")
def mined(work: BlockWork) -> MinedShare:
    return mine_share(work)


def found(work: BlockWork, mined: MinedShare) -> FoundShare:
    return FoundShare(
        work=work,
        header=mined.header.encode(),
        commitment=mined.commitment.encode(),
        proof=mined.proof,
        work_hash=bytes(32),
        is_block=False,
        device="0:0",
    )


KNOWN_PARENTS = {job.parent_height: job.parent_hash for job in KNOWN_JOBS}


async def parents(hashes: Mapping[int, bytes]) -> AsyncIterator[ParentHashes]:
    """A chain up to the tip, with these hashes."""
    pool = ScriptedPool(chain=[])
    for height in range(min(KNOWN_PARENTS) - 1, HEIGHT):
        block = made_up_block("main", height, pool.chain[-1] if pool.chain else None)
        pool.chain.append(replace(block, hash=hashes.get(height, block.hash)))
    async with pool, aiohttp.ClientSession() as session:
        chain = ParentHashes(MasterClient(session, pool.url))
        await chain.follow(pool.config())
        await chain.reach(min(KNOWN_PARENTS))
        yield chain


@pytest.fixture
async def checker() -> AsyncIterator[ShareChecker]:
    async for chain in parents(KNOWN_PARENTS):
        yield ShareChecker(chain, PlainChecker())


async def test_a_good_share(checker: ShareChecker, work: BlockWork, mined: MinedShare) -> None:
    verdict = await checker.check(found(work, mined))
    assert verdict is not None
    assert verdict.is_good


async def test_a_wrong_commitment(
    checker: ShareChecker, work: BlockWork, mined: MinedShare
) -> None:
    commitment = replace(mined.commitment, root=bytes(32)).encode()
    verdict = await checker.check(replace(found(work, mined), commitment=commitment))
    assert verdict is not None
    assert verdict.name == "PCP_MISMATCH"


async def test_announcements_of_replaced_parents(work: BlockWork, mined: MinedShare) -> None:
    async for chain in parents({}):
        verdict = await ShareChecker(chain, PlainChecker()).check(found(work, mined))
        assert verdict is not None
        assert verdict.name.startswith("ANN_INVALID")


async def test_a_parent_that_is_not_known(work: BlockWork, mined: MinedShare) -> None:
    async with aiohttp.ClientSession() as session:
        chain = ParentHashes(MasterClient(session, "http://127.0.0.1:9"))
        assert await ShareChecker(chain, PlainChecker()).check(found(work, mined)) is None


@pytest.mark.parametrize("fails", [True, False], ids=["failing", "busy"])
async def test_a_device_that_cannot_check_in_time_is_not_needed(
    work: BlockWork, mined: MinedShare, fails: bool
) -> None:
    useless = UselessChecker(fails=fails)
    async for chain in parents(KNOWN_PARENTS):
        verdict = await ShareChecker(chain, useless, patience_s=0.01).check(found(work, mined))
        assert verdict is not None
        assert verdict.is_good
    async for chain in parents({}):
        verdict = await ShareChecker(chain, useless, patience_s=0.01).check(found(work, mined))
        assert verdict is not None
        assert verdict.name.startswith("ANN_INVALID")
