"""A development chain on loopback on which the announcements of the vectors mine easy blocks.

Run as a program, this file is such a chain, to be killed: `devchain_setup.py FOLDER`.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from block_shares import MinedShare, mine_share
from handler_announcements import KNOWN_JOBS

from packetcrypt.client.pktd import PktdClient, PktdSettings, ShareToCheck, pktd_client
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.pool import devchain_node
from packetcrypt.pool.devchain import Devchain, running_devchain
from packetcrypt.pool.devchain_retarget import Retarget
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.block_template import BlockTemplate
from packetcrypt.protocol.commitment import insert_commitment
from packetcrypt.protocol.difficulty import target_of_work, target_to_compact
from packetcrypt.protocol.validation import AnnouncementCheck, CheckedAnnouncement
from packetcrypt.protocol.varint import encode_varint
from packetcrypt.protocol.work_file import BlockWork

FIRST = KNOWN_JOBS[0].parent_height - 3
EASY = target_to_compact(target_of_work(400))
"""what the few announcements of the tests can mine"""
SHARE_TARGET = 0x207FFFFF
USER, PASSWORD = "pool", "3c7e"


def known_announcement(announcement: bytes, _parent_hash: bytes) -> CheckedAnnouncement:
    """The announcements of the vectors, of another chain, are good on this one."""
    is_known = any(announcement in job.announcements for job in KNOWN_JOBS)
    result = AnnouncementCheck.OK if is_known else AnnouncementCheck.INVAL
    return CheckedAnnouncement(result, bytes(32))


class EasyRetarget(Retarget):
    """Whatever is heard, blocks stay easy, and none is made up because of it."""

    is_listening = False
    is_far_off = is_too_quiet = lambda *_: False

    def next_bits(self) -> int:
        return EASY


EASY_RULES = {
    "check_announcement": known_announcement,
    "LISTENING_BITS": EASY,
    "Retarget": EasyRetarget,
}
"""what a test replaces in `devchain_node`"""


def devchain_settings(folder: Path, **changes: Any) -> DevchainSettings:
    """Settings of a chain that keeps its state in a folder and listens on a port of its own."""
    pool = PoolSettings(
        master_url="http://127.0.0.1:9", root_workdir=folder, paymaker_http_password="f1d2a8"
    )
    return DevchainSettings(
        pool=pool,
        pktd=PktdSettings(user=USER, password=PASSWORD),
        **{"bind": "127.0.0.1:0", "first_height": FIRST, **changes},
    )


@asynccontextmanager
async def devchain_loopback(
    folder: Path, chance: random.Random | None = None, **changes: Any
) -> AsyncIterator[tuple[Devchain, PktdClient]]:
    """A running chain, and a client of it; changes: of the settings."""
    settings = devchain_settings(folder, **changes)
    async with AsyncExitStack() as stack:
        running = running_devchain(settings, chance=chance or random.Random(5))
        chain = await stack.enter_async_context(running)
        yield chain, await stack.enter_async_context(devchain_client(chain.port))


def devchain_client(port: int) -> AbstractAsyncContextManager[PktdClient]:
    """A client of the chain at a port: an asynchronous context."""
    settings = PktdSettings(url=f"http://127.0.0.1:{port}", user=USER, password=PASSWORD)
    return pktd_client(settings)


async def raw_call(port: int, method: str, *parameters: object) -> tuple[int, Any]:
    """What a call that `PktdClient` does not have is answered: HTTP status, and JSON or text."""
    headers = {"Authorization": aiohttp.encode_basic_auth(USER, PASSWORD)}
    call = {"id": 7, "method": method, "params": parameters}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}/", json=call, headers=headers) as reply,
    ):
        is_json = reply.content_type == "application/json"
        return reply.status, await (reply.json() if is_json else reply.text())


def work_of(template: BlockTemplate) -> BlockWork:
    """What a master makes of a template."""
    return BlockWork(
        header=template.header,
        signing_key=bytes(32),
        share_target=SHARE_TARGET,
        ann_target=SHARE_TARGET,
        height=template.height,
        coinbase_no_witness=template.coinbase_no_witness,
        merkle_branch=template.merkle_branch,
    )


def share_to_check(work: BlockWork, mined: MinedShare) -> ShareToCheck:
    """A mined share as a block handler has it checked."""
    return ShareToCheck(
        share_target=work.share_target,
        height=work.height,
        block=mined.header.encode() + encode_proof_sections(mined.proof, end=True) + b"\x00",
        coinbase_no_witness=insert_commitment(work.coinbase_no_witness, mined.commitment.encode()),
        merkle_branch=work.merkle_branch,
    )


def whole_block(template: BlockTemplate, mined: MinedShare) -> bytes:
    """A mined share as a block handler submits it."""
    coinbase, *others = template.transactions
    transactions = [insert_commitment(coinbase, mined.commitment.encode()), *others]
    return b"".join(
        (
            mined.header.encode(),
            encode_proof_sections(mined.proof, end=True),
            encode_varint(len(transactions)),
            *transactions,
        )
    )


async def mined_block(client: PktdClient) -> tuple[bytes, bytes]:
    """A block that may be submitted, and its hash."""
    template = await client.block_template()
    mined = mine_share(work_of(template), is_block=True)
    return whole_block(template, mined), mined.header.block_hash


async def _run(folder: Path) -> None:
    async with devchain_loopback(folder, patience=0.0) as (chain, _):
        print(f"port {chain.port}", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    for name, value in EASY_RULES.items():
        setattr(devchain_node, name, value)
    asyncio.run(_run(Path(sys.argv[1])))
