"""How the smallest possible pool master looks: one that never sees a new block.

It serves config.json and the blkinfo of a few made-up blocks, which is all that announcement miners
and handlers ask for (spec 2 "Master"), and takes their pay logs as a paymaker would that pays
nobody. Tests mine against it; there is no chain behind it.
"""

import hashlib
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from aiohttp import web

from packetcrypt.protocol.pool_messages import BlockInfo, MasterConfig
from packetcrypt.protocol.primitives import h32

TIP_HEIGHT = 200_000
"""Above 103869, below which existing nodes refuse version 1 announcements (spec 2)."""

BLOCKS = 8
"""More than the six parents that handlers track and miners walk back to."""

_EASIEST_BITS = 0x207FFFFF


def made_up_chain(
    label: str = "static pool", tip_height: int = TIP_HEIGHT, signing_key: bytes | None = None
) -> tuple[BlockInfo, ...]:
    """Blocks that were never mined, the tip last; another label gives another chain."""
    hashes = [
        h32(f"{label} block {height}".encode())
        for height in range(tip_height - BLOCKS, tip_height + 1)
    ]
    return tuple(
        BlockInfo(
            hash=block_hash,
            height=tip_height - BLOCKS + 1 + offset,
            version=0x20000000,
            merkle_root=h32(b"merkle root of " + block_hash),
            time=1_700_000_000 + 60 * offset,
            nonce=0,
            bits=_EASIEST_BITS,
            difficulty=1.0,
            previous_hash=previous,
            signing_key=signing_key,
        )
        for offset, (previous, block_hash) in enumerate(pairwise(hashes))
    )


class StaticPool:
    """The master of a pool whose chain stands still, until `set_chain` moves it."""

    def __init__(
        self,
        chain: Sequence[BlockInfo],
        *,
        ann_target: int,
        submit_ann_urls: Sequence[str],
        mine_old_anns: int = 0,
    ) -> None:
        self.ann_target = ann_target
        self.submit_ann_urls = tuple(submit_ann_urls)
        self.events: list[dict[str, Any]] = []
        """what the handlers' pay logs said so far"""
        self.mine_old_anns = mine_old_anns
        self.set_chain(chain)

    def set_chain(self, chain: Sequence[BlockInfo]) -> None:
        """Show another chain from now on: longer ones are new blocks, others a rollback."""
        self._chain = {block.hash[::-1].hex(): block for block in chain}
        self._tip = chain[-1]

    def application(self) -> web.Application:
        """An aiohttp application with the master's announcement routes and the paymaker's one."""
        application = web.Application()
        application.router.add_get("/config.json", self._config)
        application.router.add_get("/blkinfo_{hash}.json", self._block_info)
        application.router.add_post("/events", self._take_events)
        return application

    async def _config(self, request: web.Request) -> web.Response:
        config = MasterConfig(
            tip_hash=self._tip.hash,
            current_height=self._tip.height + 1,
            master_url=str(request.url.origin()),
            submit_ann_urls=self.submit_ann_urls,
            download_ann_urls=(),
            submit_block_urls=(),
            paymaker_url=str(request.url.origin()),
            mine_old_anns=self.mine_old_anns,
            ann_target=self.ann_target,
        )
        headers = {"cache-control": "max-age=8 stale-while-revalidate=2"}
        return web.Response(body=config.encode(), content_type="application/json", headers=headers)

    async def _block_info(self, request: web.Request) -> web.Response:
        block = self._chain.get(request.match_info["hash"])
        if block is None:
            raise web.HTTPNotFound(text="no such block in this pool's chain")
        return web.Response(body=block.encode(), content_type="application/json")

    async def _take_events(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.events += map(json.loads, body.splitlines())
        result = {"eventId": hashlib.sha256(body).hexdigest()[:32]}
        return web.json_response({"result": result, "warn": [], "error": []})
