"""How a development chain grows: by blocks that are submitted, and by some that it makes up.

Blocks and payouts belong to the event loop. Judging proofs of work has threads of its own, because
a share costs some hundred milliseconds of plain Python: meanwhile the tip is told within some ten
milliseconds (a process of its own would make that two, and would be one more to look after).
"""

import asyncio
import functools
import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from packetcrypt.handler.disk_thread import DiskThread
from packetcrypt.pool.devchain_journal import ChainJournal
from packetcrypt.pool.devchain_log import log_block, log_displaced
from packetcrypt.pool.devchain_payouts import read_payouts
from packetcrypt.pool.devchain_retarget import LISTENING_BITS, Retarget
from packetcrypt.pool.devchain_rules import (
    Candidate,
    Rejected,
    hash_is_of_block,
    judge,
    read_block,
    read_share,
    submitted_hash,
)
from packetcrypt.pool.devchain_statistics import DevchainStatistics
from packetcrypt.pool.devchain_templates import VERSION, make_template
from packetcrypt.pool.devchain_tree import BlockTree, ChainBlock
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.validation import CheckedAnnouncement, check_announcement

ANCESTORS: Final = 9
"""made-up blocks that are there at first: more than the six that announcements are mined on"""

_KNOWN_ANNOUNCEMENTS: Final = 4096
"""verdicts kept: a block's announcements have been judged as a share's a moment before"""

_log = logging.getLogger(__name__)


class DevchainNode:
    """A node with one chain.

    goal     : seconds that a block should take
    set_size : announcements that sets are going to have, see `Retarget`
    clock    : seconds since 1970
    """

    def __init__(
        self,
        journal: ChainJournal,
        disk: DiskThread,
        goal: float,
        set_size: int,
        chance: random.Random,
        statistics: DevchainStatistics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.payouts = journal.payouts
        self._statistics = statistics
        self._journal = journal
        self._disk = disk
        self._goal = goal
        self._chance = chance
        self._clock = clock
        self._tree = journal.tree
        self._growing = asyncio.Lock()
        self._judge = ThreadPoolExecutor(1, "devchain-judge")
        # A block waits neither as a share behind others, nor when it is submitted: until it
        # is in the chain, all mine in vain. Its announcements have been judged as the share's.
        self._overtaking_judge = ThreadPoolExecutor(1, "devchain-overtaking-judge")
        self._block_judge = ThreadPoolExecutor(1, "devchain-block-judge")
        self._check = functools.lru_cache(_KNOWN_ANNOUNCEMENTS)(check_announcement)
        self._since = time.monotonic()
        self._retarget = Retarget(goal, set_size)
        #: hashes of blocks upon the tip that were shares before
        self._blocks_to_come: set[bytes] = set()

    @property
    def tree(self) -> BlockTree:
        """The blocks; only after `begin`."""
        assert self._tree is not None
        return self._tree

    @property
    def seconds_waited(self) -> float:
        """Since the newest block came, or the node began."""
        return time.monotonic() - self._since

    @property
    def is_too_quiet(self) -> bool:
        """Whether the shares that should have come did not: see `Retarget`."""
        return not self._blocks_to_come and self._retarget.is_too_quiet(time.monotonic())

    async def begin(self, first_height: int) -> None:
        """Makes up the first blocks of a chain that has none."""
        for number in range(ANCESTORS if self._tree is None else 0):
            previous = bytes(32) if self._tree is None else self.tree.tip.hash
            at = int(self._clock() - (ANCESTORS - number) * self._goal)
            header = self._made_up_header(previous, at, LISTENING_BITS)
            block = ChainBlock(
                height=first_height + number, header=header, next_bits=LISTENING_BITS
            )
            await self._disk.run(self._journal.add_block, block)
            if self._tree is None:
                self._tree = BlockTree(block)
            else:
                self._tree.add(block)
        self._retarget.begin(time.monotonic(), self.tree.tip.next_bits)

    async def close(self) -> None:
        """Ends the threads; what waits to be judged is given up."""
        for thread in (self._judge, self._overtaking_judge, self._block_judge):
            await asyncio.to_thread(thread.shutdown, cancel_futures=True)

    def template(self) -> BlockTemplate:
        """The next block, paying whoever is to be paid now."""
        return make_template(self.tree.tip.following, self.payouts, int(self._clock()))

    async def configure_payouts(self, value: object) -> None:
        """Says whom the next templates pay; `DecodeError` says what is wrong with it."""
        payouts = read_payouts(value)
        async with self._growing:
            await self._disk.run(self._journal.set_payouts, payouts)
            self.payouts = payouts
        _log.info("templates pay %d addresses from now on", len(payouts))

    async def check_share(self, request: JsonFields) -> bool:
        """Whether a share, the argument of checkpcshare, is a block too.

        Raises `Rejected` for one that is not good, `DecodeError` for what is no share.
        """
        self._refuse_known(submitted_hash(request.hex_bytes("hexblock")))
        tip = self.tree.tip
        candidate = read_share(request, tip.following)
        if self._retarget.is_listening:
            # Not judged before: meanwhile the same miner finds a block, which is as easy.
            self._note_share(candidate)
            await asyncio.shield(self._make_up_upon(tip))
            raise Rejected("rejected: bad-prevblk: another block came meanwhile")
        thread = self._overtaking_judge if hash_is_of_block(candidate) else self._judge
        is_block = await self._judged(candidate, thread)
        if self.tree.tip is tip:
            self._note_share(candidate)
            if is_block:
                self._blocks_to_come.add(candidate.header.block_hash)
            elif not self._blocks_to_come and self._retarget.is_far_off(time.monotonic()):
                await self._change_target(tip)
        return is_block

    async def submit_block(self, data: bytes) -> ChainBlock:
        """Takes a block that somebody mined: when this returns, it is on the disk, and the tip.

        Raises `Rejected`, `DecodeError` for what is no block, `OSError` if it cannot be stored.
        """
        self._refuse_known(submitted_hash(data))
        following = self.tree.tip.following
        candidate = read_block(data, following, int(self._clock()))
        if not await self._judged(candidate, self._block_judge):
            raise Rejected("rejected: high-hash: it is a share at most")
        async with self._growing:
            self._refuse_known(candidate.header.block_hash)
            if self.tree.tip.following != following:
                raise Rejected("rejected: bad-prevblk: another block came meanwhile")
            if candidate.header.block_hash not in self._blocks_to_come:
                self._note_share(candidate)
            return await self._append(candidate.header, candidate)

    async def add_made_up(self, previous_hash: bytes | None = None) -> ChainBlock:
        """Adds a block that "somebody else" found, upon any block; None: upon the tip.

        Raises `Rejected` if the block before is not known.
        """
        async with self._growing:
            return await self._make_up(previous_hash or self.tree.tip.hash)

    async def add_overdue(self) -> None:
        """Likewise upon the tip, because nobody found one."""
        tip = self.tree.tip
        async with self._growing:
            if self.tree.tip is tip:
                self._retarget.nothing_came(time.monotonic())
                await self._make_up(tip.hash)

    async def displace(self, block: ChainBlock) -> None:
        """Adds a branch without this block, one longer than the best chain; nothing if it has left
        that already."""
        async with self._growing:
            previous_hash = block.header.previous_hash
            tip_height = self.tree.tip.height
            if self.tree.at(block.height) is not block:
                return
            for _ in range(block.height, tip_height + 2):
                previous_hash = (await self._make_up(previous_hash)).hash

    async def check_announcement(
        self, announcement: bytes, parent_hash: bytes
    ) -> CheckedAnnouncement:
        """The plain protocol's verdict; `DecodeError` for what is no announcement."""
        return await asyncio.wrap_future(self._judge.submit(self._check, announcement, parent_hash))

    def _refuse_known(self, block_hash: bytes) -> None:
        if block_hash in self.tree:
            raise Rejected(f"rejected: already have block {block_hash[::-1].hex()}")

    async def _judged(self, candidate: Candidate, thread: ThreadPoolExecutor) -> bool:
        parents = [self.tree.at(height) for height in candidate.parent_heights]
        # No announcement is valid for the hash of a block that there is not.
        hashes = [bytes(32) if parent is None else parent.hash for parent in parents]
        return await asyncio.wrap_future(thread.submit(judge, candidate, hashes, self._check))

    def _note_share(self, candidate: Candidate) -> None:
        """Of the block that is mined now."""
        commitment = BlockCommitment.decode(candidate.commitment)
        self._retarget.share_came(time.monotonic(), candidate.share_target, commitment)

    async def _change_target(self, tip: ChainBlock) -> None:
        """With a block; the share that asks for it is good, also if the disk takes no block."""
        _log.info("shares say that the target is far off; it changes with a block")
        try:
            await asyncio.shield(self._make_up_upon(tip))
        except OSError as error:
            _log.warning("the target stays: the block that changes it cannot be written: %s", error)

    async def _make_up_upon(self, tip: ChainBlock) -> None:
        """Ends the block that is mined now, unless somebody found it meanwhile."""
        async with self._growing:
            if self.tree.tip is tip:
                await self._make_up(tip.hash)

    async def _make_up(self, previous_hash: bytes) -> ChainBlock:
        parent = self.tree.get(previous_hash)
        if parent is None:
            raise Rejected(f"rejected: bad-prevblk: there is no {previous_hash[::-1].hex()}")
        at = max(int(self._clock()), parent.following.earliest)
        header = self._made_up_header(previous_hash, at, parent.next_bits)
        return await self._append(header)

    def _made_up_header(self, previous_hash: bytes, at: int, bits: int) -> BlockHeader:
        return BlockHeader(
            version=VERSION,
            previous_hash=previous_hash,
            merkle_root=self._chance.randbytes(32),
            time=at,
            bits=bits,
            nonce=0,
        )

    async def _append(self, header: BlockHeader, mined: Candidate | None = None) -> ChainBlock:
        """Adds a block to disk and tree, in this order."""
        parent = self.tree.get(header.previous_hash)
        assert parent is not None
        block = ChainBlock(
            height=parent.height + 1,
            header=header,
            next_bits=self._retarget.next_bits(),
            commitment=None if mined is None else BlockCommitment.decode(mined.commitment),
            transactions=() if mined is None else mined.transactions,
        )
        proof = b"" if mined is None else _proof_of(mined)
        await self._disk.run(self._journal.add_block, block, proof)
        displaced = self.tree.add(block)
        log_block(block, self.seconds_waited)
        log_displaced(displaced)
        self._statistics.mined += mined is not None
        self._statistics.made_up += mined is None
        self._statistics.displaced += len(displaced)
        self._since = time.monotonic()
        if self.tree.tip is block:
            self._blocks_to_come.clear()
            self._retarget.begin(self._since, block.next_bits, found=mined is not None)
        return block


def _proof_of(mined: Candidate) -> bytes:
    return encode_proof_sections(mined.proof, signatures=mined.signatures, end=True)
