"""A whole announcement handler on loopback: its master, its paymaker, and a miner's posts to it."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from handler_announcements import KnownJob
from handler_master import ChangingMaster, changing_master
from handler_plain_checker import PlainChecker
from paymaker_stand_in import PASSWORD, PaymakerStandIn, paymaker_stand_in

from packetcrypt.handler.crediting import Checker
from packetcrypt.handler.service import AnnHandler, running_ann_handler
from packetcrypt.handler.settings import AnnHandlerSettings, PoolSettings
from packetcrypt.protocol.pool_messages import AnnouncementPostHeaders

PAY_TO = "pkt1qexampleaddress"


@dataclass(frozen=True)
class PostReply:
    """status : of HTTP; body : the decoded JSON."""

    status: int
    body: dict[str, Any]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """accepted, dup, inval, badHash."""
        result = self.body["result"]
        return result["accepted"], result["dup"], result["inval"], result["badHash"]


@dataclass(frozen=True)
class Loopback:
    """What a test talks to and changes.

    checker : what checks; a `PlainChecker` unless given
    """

    master: ChangingMaster
    paymaker: PaymakerStandIn
    settings: AnnHandlerSettings
    session: aiohttp.ClientSession
    handler: AnnHandler
    checker: Checker

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.handler.port}"

    async def post(self, job: KnownJob, *announcements: bytes, **headers: str | None) -> PostReply:
        """Posts announcements as the existing miner does, chunked.

        headers : replaced ones, with _ for -; None leaves one out
        """
        wanted: dict[str, str | None] = {
            **AnnouncementPostHeaders(PAY_TO, job.work_number).encode(),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await self.post_pieces(
            {name: value for name, value in wanted.items() if value is not None}, *announcements
        )

    async def post_pieces(self, headers: dict[str, str], *pieces: bytes) -> PostReply:
        """Posts a chunked body."""

        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        url = f"{self.url}/submit"
        async with self.session.post(url, data=body(), headers=headers) as response:
            return PostReply(response.status, await response.json())

    async def get(self, path: str, password: str | None = None) -> tuple[int, bytes]:
        headers = {}
        if password is not None:
            credentials = base64.b64encode(f"x:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {credentials}"
        async with self.session.get(self.url + path, headers=headers) as response:
            return response.status, await response.read()

    async def index(self) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/anns/index.json") as response:
            index: dict[str, Any] = await response.json()
            return index


def handler_settings(
    root_workdir: Path, master_url: str, name: str = "ah0", **changes: Any
) -> AnnHandlerSettings:
    """Settings of a handler on a loopback port; files and pay logs are an hour away."""
    pool = PoolSettings(
        master_url=master_url,
        root_workdir=root_workdir,
        paymaker_http_password=PASSWORD,
        trusted_proxies=changes.pop("trusted_proxies", ()),
    )
    return AnnHandlerSettings(
        pool=pool,
        name=name,
        **{
            "public_url": f"http://pool.example/{name}",
            "bind": "127.0.0.1:0",
            "poll_interval": 0.02,
            "file_seconds": 3600.0,
            "paylog_seconds": 3600.0,
            **changes,
        },
    )


@asynccontextmanager
async def loopback(
    root_workdir: Path,
    checker: Checker | None = None,
    *,
    has_own_checker: bool = False,
    **changes: Any,
) -> AsyncIterator[Loopback]:
    """A handler that is ready for the known jobs.

    has_own_checker : it checks on the devices of its settings
    changes : of the settings; `handler_urls` lists other handlers in the master's configuration
    """
    urls = changes.pop("handler_urls", ("http://pool.example/ah0/submit",))
    async with (
        changing_master() as master,
        paymaker_stand_in() as paymaker,
        aiohttp.ClientSession() as session,
    ):
        master.config = replace(master.config, submit_ann_urls=urls, paymaker_url=paymaker.url)
        settings = handler_settings(root_workdir, master.config.master_url, **changes)
        plain = PlainChecker()
        used = checker or plain
        try:
            given = None if has_own_checker else used
            async with running_ann_handler(settings, checker=given) as handler:
                yield Loopback(master, paymaker, settings, session, handler, used)
        finally:
            plain.close()
