"""How a share is judged and credited: node, block submission, pay log, reply, in this order."""

import asyncio
import time
from typing import NamedTuple
from weakref import WeakValueDictionary

from packetcrypt.client.json_rpc import RpcRefused
from packetcrypt.client.pktd import PktdClient, ShareToCheck, ShareVerdict
from packetcrypt.handler.block_journal import BlockJournal
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.block_share import Share
from packetcrypt.handler.block_statistics import BlockStatistics
from packetcrypt.handler.block_submission import (
    AlreadyHaveBlock,
    BlockSubmission,
    block_without_transactions,
    is_known_block,
)
from packetcrypt.handler.http_answers import Overloaded
from packetcrypt.protocol.commitment import insert_commitment
from packetcrypt.protocol.share_messages import ShareResult, encryptions_of_share

DUPLICATE = "duplicate share: it was credited before, and is credited once"


class Credited(NamedTuple):
    """What is in the pay log of a share, and what else its miner should know."""

    result: ShareResult
    warnings: tuple[str, ...]


class BlockJudging:
    """Judges shares, a bounded number at a time; more wait, and more than that are refused."""

    def __init__(
        self,
        pktd: PktdClient,
        journal: BlockJournal,
        settings: BlockHandlerSettings,
        statistics: BlockStatistics,
    ) -> None:
        self._pktd = pktd
        self._journal = journal
        self._submission = BlockSubmission(pktd)
        self._statistics = statistics
        self._room = settings.input_queue_len
        self._node_calls = asyncio.Semaphore(settings.node_calls)
        self._under_way: set[asyncio.Task[Credited]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._is_closing = False

    @property
    def queued(self) -> int:
        """Shares that are judged, or wait for it."""
        return len(self._under_way)

    @property
    def room(self) -> int:
        """How many there may be."""
        return self._room

    def refuse_if_full(self) -> None:
        """Raises `Overloaded` if a share that came now would not be taken: spares reading it."""
        if self._is_closing or self.queued >= self._room:
            self._statistics.overloaded += 1
            raise Overloaded

    async def credit(self, share: Share) -> Credited:
        """Judges a share and puts it into the pay log, if it is good.

        Raises `Overloaded`, `AlreadyHaveBlock`, or an error of client.json_rpc, of which
        `RpcRefused` is the node's verdict. OSError: it was good and could not be written.
        """
        self.refuse_if_full()
        task = asyncio.ensure_future(self._credit(share))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.wait([task])
        if task.cancelled():
            # The handler stops, and could not wait any longer.
            self._statistics.overloaded += 1
            raise Overloaded
        return task.result()

    async def close(self, seconds: float) -> None:
        """Takes nothing more, and waits for what is under way for so long."""
        self._is_closing = True
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in self._under_way:
            task.cancel()

    async def _credit(self, share: Share) -> Credited:
        # A miner that is tired of waiting sends its share again. If that overtook a block which the
        # node is still taking, the share would go into the pay log as one that is no block.
        turn = self._turns.setdefault(share.event_id, asyncio.Lock())
        async with turn:
            return await self._credit_in_turn(share)

    async def _credit_in_turn(self, share: Share) -> Credited:
        known = await self._journal.share(share.event_id)
        if known is not None:
            self._statistics.duplicates += 1
            return Credited(known, (DUPLICATE,))
        async with self._node_calls:
            verdict = await self._check(share)
            warnings: tuple[str, ...] = ()
            is_block = verdict is ShareVerdict.RESUBMIT_AS_BLOCK
            if is_block and (problem := await self._submission.submit(share)) is not None:
                is_block, warnings = False, (problem,)
        result = _result(share, is_block)
        await self._journal.write(result)
        self._statistics.accepted += 1
        self._statistics.blocks += is_block
        return Credited(result, warnings)

    async def _check(self, share: Share) -> ShareVerdict:
        work = share.state.work
        to_check = ShareToCheck(
            share_target=work.share_target,
            height=work.height,
            block=block_without_transactions(share),
            coinbase_no_witness=insert_commitment(
                work.coinbase_no_witness, share.commitment.encode()
            ),
            merkle_branch=work.merkle_branch,
        )
        try:
            return await self._pktd.check_share(to_check)
        except RpcRefused as error:
            if is_known_block(error):
                raise AlreadyHaveBlock(error.reason) from error
            raise


def _result(share: Share, is_block: bool) -> ShareResult:
    target, commitment = share.state.work.share_target, share.commitment
    return ShareResult(
        pay_to=share.pay_to,
        block=is_block,
        time=time.time_ns() // 1_000_000,
        event_id=share.event_id,
        target=target,
        ann_count=commitment.count,
        ann_target=commitment.max_target,
        encryptions=encryptions_of_share(target, commitment),
        header_hash=share.header.block_hash if is_block else None,
    )
