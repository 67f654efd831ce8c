"""Names of hosts."""

import socket

import aiohttp
import pytest
from scripted_pool import ScriptedPool
from yarl import URL

from packetcrypt.client.http import HttpLimits, PoolUnreachable, get
from packetcrypt.client.resolver import DaemonResolver

LIMITS = HttpLimits(body_size=65536, seconds=10.0)


async def test_this_machine_is_found() -> None:
    found = await DaemonResolver().resolve("localhost", 80, socket.AF_INET)
    assert [(entry["hostname"], entry["host"], entry["port"]) for entry in found] == [
        ("localhost", "127.0.0.1", 80)
    ]


async def test_a_name_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(OSError, match=r"."):
        await DaemonResolver().resolve("nobody.invalid", 80)


async def test_a_session_uses_it() -> None:
    connector = aiohttp.TCPConnector(resolver=DaemonResolver())
    async with ScriptedPool() as pool, aiohttp.ClientSession(connector=connector) as session:
        by_name = str(URL(pool.url).with_host("localhost"))
        assert (await get(session, f"{by_name}/config.json", LIMITS)).status == 200
        with pytest.raises(PoolUnreachable, match=r"nobody\.invalid"):
            await get(session, "http://nobody.invalid/config.json", LIMITS)
