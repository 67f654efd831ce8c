"""How a block miner ends, with a stand-in for the engine. Whole miners are in tests/end_to_end."""

import asyncio
import threading

from block_miner_parts import ByteChecker, SetStore, made_share
from command_line import PAYMENT_ADDRESS

from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_statistics import BlockEngineStatistics, StoreStatistics
from packetcrypt.miner.block_miner import BlockMiner, BlockMinerTiming
from packetcrypt.miner.block_settings import BlockMinerSettings
from packetcrypt.protocol.work_file import BlockWork


class InexhaustibleEngine(SetStore):
    """Has a share whenever it is asked, also after the miner stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.paused = False

    def start(self, work: BlockWork) -> None: ...

    def pause(self) -> None:
        self.paused = True

    def get(self, timeout: float | None = None) -> FoundShare | None:
        self.asked.set()
        return made_share()

    def statistics(self) -> BlockEngineStatistics:
        return BlockEngineStatistics((), StoreStatistics(0, 0, {}), None)


async def test_stopping_does_not_wait_for_all_that_was_found() -> None:
    settings = BlockMinerSettings(pool="http://127.0.0.1:9", payment_addr=PAYMENT_ADDRESS)
    engine = InexhaustibleEngine()
    miner = BlockMiner(settings, engine, ByteChecker())
    running = asyncio.create_task(miner.run())
    async with asyncio.timeout(60):
        await asyncio.to_thread(engine.asked.wait)
        miner.stop()
        await running
    assert engine.paused


def test_stopping_takes_less_than_three_seconds_by_design() -> None:
    timing, engine_close = BlockMinerTiming(), 1.0
    assert timing.take + timing.drain + timing.flush + engine_close < 3.0
