"""How a share that is a whole block becomes the pool's block (spec 2 "RESUBMIT_AS_BLOCK")."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from packetcrypt.client.json_rpc import RpcBusy, RpcRefused, RpcUnreachable
from packetcrypt.client.pktd import PktdClient
from packetcrypt.handler.block_share import Share
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.commitment import insert_commitment
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.varint import encode_varint

SECONDS_BETWEEN: Final = 120.0
"""from one block of a work to the next that is submitted (spec 2)"""

_TRIES: Final = 5
_SECONDS_BETWEEN_TRIES: Final = 0.5

_ALREADY: Final = "already have block"

_log = logging.getLogger(__name__)


class AlreadyHaveBlock(Exception):
    """The node has this block already: somebody submitted it before. The message is the node's."""


class BlockSubmission:
    """Gives blocks to the node, of each work at most one in two minutes.

    Two blocks of one work exclude each other, and a node that has one is busy spreading it.
    """

    def __init__(self, pktd: PktdClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._pktd = pktd
        self._clock = clock
        self._submitted: dict[bytes, float] = {}

    async def submit(self, share: Share) -> str | None:
        """Submits the share's block. None if the node took it, else why it is not in the chain.

        Raises `AlreadyHaveBlock`.
        """
        work = share.state.work.header.encode()
        now = self._clock()
        self._submitted = {
            header: at for header, at in self._submitted.items() if now - at < SECONDS_BETWEEN
        }
        if work in self._submitted:
            ago = now - self._submitted[work]
            return f"another block of this work was submitted {ago:.0f} s ago"
        self._submitted[work] = now
        found = f"block {share.state.work.height} {share.header.block_hash[::-1].hex()}"
        _log.info("%s was found by %r", found, share.pay_to)
        try:
            await self._submit(whole_block(share))
        except RpcRefused as error:
            if is_known_block(error):
                _log.info("the node had %s already", found)
                raise AlreadyHaveBlock(error.reason) from error
            _log.error("%s is lost: %s", found, error)
            return f"the node did not take the block: {error.reason}"
        except PoolError as error:
            _log.error("%s may be lost: %s", found, error)
            return "the node did not say whether it took the block"
        _log.info("the node took %s", found)
        return None

    async def _submit(self, block: bytes) -> None:
        for tries_left in reversed(range(_TRIES)):
            try:
                return await self._pktd.submit_block(block)
            except (RpcUnreachable, RpcBusy):
                # The node did not hear of the block, so that this is no second submission.
                if not tries_left:
                    raise
                await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
        return None


def is_known_block(error: RpcRefused) -> bool:
    """Whether the node refuses a block, or a share, because the block is in the chain already."""
    return _ALREADY in error.reason


def block_without_transactions(share: Share) -> bytes:
    """What checkpcshare takes as a block: header, proof with its end marker, no transactions."""
    return _header_and_proof(share) + encode_varint(0)


def whole_block(share: Share) -> bytes:
    """The block as the chain stores it."""
    coinbase, *others = share.state.template.transactions
    transactions = [insert_commitment(coinbase, share.commitment.encode()), *others]
    return b"".join(
        (_header_and_proof(share), encode_varint(len(transactions)), *transactions),
    )


def _header_and_proof(share: Share) -> bytes:
    sections = encode_proof_sections(share.proof, signatures=share.signatures, end=True)
    return share.header.encode() + sections
