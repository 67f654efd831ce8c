"""The pool's pages over real HTTP, from a master whose paymaker and handlers are made up."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html.parser import HTMLParser
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from paymaker_setup import ALICE, BOB
from pktd_stand_in import Fault
from pool_page_setup import (
    HOSTILE_NAMES,
    Json,
    PagedPool,
    PoolPeers,
    announcing,
    healthy,
    listed,
    mining,
    paged_pool,
    pool_peers,
    who_to_pay,
    why,
)

from packetcrypt.pool.page_server import SECURITY_HEADERS
from packetcrypt.pool.page_templates import assets
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.protocol.address import WitnessProgram, format_address

STRANGER = format_address(WitnessProgram(0, bytes(20)))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packetcrypt.pool.page_server.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("packetcrypt.pool.page_watch.WATCHED_SECONDS", 0.05)


@pytest.fixture
async def peers() -> AsyncIterator[PoolPeers]:
    async with pool_peers() as peers:
        yield peers


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - it comes true in a server
            await asyncio.sleep(0.02)


async def shows(pool: PagedPool, text: str, path: str = "/") -> str:
    """The page as soon as it says this."""
    page = ""

    async def is_there() -> bool:
        nonlocal page
        _, page = await pool.get(path)
        return text in page

    await until(is_there)
    return page


class Elements(HTMLParser):
    """What a browser would make of a page: its elements, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_the_page(peers: PoolPeers, tmp_path: Path) -> None:
    peers.blocks = [listed(999_999, milliseconds_now() - 5000, ALICE)]
    async with paged_pool(tmp_path, peers, pool_name="Fish & Sons") as pool:
        page = await shows(pool, "28.6")
    for text in ("Fish &amp; Sons", "999\u202f999", "43\u202f%", "working", "Warm-up:", "ah0"):
        assert text in page
    assert f'href="/master/miner/{ALICE}"' in page


@pytest.mark.parametrize("path", ["/", "/master", "/master/", "/miner/x", "/assets/page.css"])
async def test_headers(peers: PoolPeers, tmp_path: Path, path: str) -> None:
    async with paged_pool(tmp_path, peers) as pool, pool.session.get(pool.url + path) as answer:
        assert answer.headers.items() >= SECURITY_HEADERS.items()
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


async def test_nothing_is_inline_or_from_elsewhere(peers: PoolPeers, tmp_path: Path) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        page = Elements(await shows(pool, "28.6"))
    for tag, attributes in page.found:
        assert not {name for name in attributes if name == "style" or name.startswith("on")}
        for name in ("src", "href", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("/master/", "#")), (tag, value)
    assert "style" not in {tag for tag, _ in page.found}


async def test_assets_are_cached_by_their_content(peers: PoolPeers, tmp_path: Path) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        _, page = await pool.get("/")
        for path in re.findall(r'"(/master/assets/[^"]+)"', page):
            async with pool.session.get(pool.url + path) as answer:
                assert answer.status == 200
                assert "immutable" in answer.headers["Cache-Control"]
                assert await answer.read() == assets()[path.split("/")[-1].split("?")[0]].content
        assert (await pool.get("/assets/base.html"))[0] == 404


async def test_names_from_pay_logs_are_inert(peers: PoolPeers, tmp_path: Path) -> None:
    now = milliseconds_now()
    names = [*HOSTILE_NAMES]
    peers.who_to_pay = who_to_pay(
        now,
        annMinerStats={name: announcing(now) for name in names},
        blkMinerStats={name: mining(now) for name in names},
        result={name: 1 / len(names) for name in names},
        why={name: why(blocks=(1.0, 0.5), payable=False) for name in names},
    )
    peers.blocks = [listed(99 - i, now - 1000 * i, name) for i, name in enumerate(names)]
    peers.health["ah0"] = healthy(**{"</td><script>": "<img src=x onerror=alert(1)>"})
    async with paged_pool(tmp_path, peers, pool_name="</title><script>alert(1)</script>") as pool:
        page = Elements(await shows(pool, "28.6"))
        tags = {tag for tag, _ in page.found}
        assert [attributes.get("src") for tag, attributes in page.found if tag == "script"] == [
            f"/master/assets/page.js?v={assets()['page.js'].version}"
        ]
        assert [tag for tag, _ in page.found].count("img") == 1
        assert [tag for tag, _ in page.found].count("h1") == 1
        assert "b" not in tags
        links = {attributes.get("href") for tag, attributes in page.found if tag == "a"}
        assert {link for link in links if link} <= {
            "#main",
            "/master/",
            f"/master/miner/{'W' * 63}",
        }
        for text in ("alert(1)", "{{ 7 * 7 }}", "\\u202e", "\\ud800"):
            assert text in page.text
        assert not any(mark in page.text for mark in "\u202e\u200b\x00\u2028")


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_looking_up_anything(peers: PoolPeers, tmp_path: Path, name: str) -> None:
    text = name.encode("utf-8", "replace").decode()
    async with paged_pool(tmp_path, peers) as pool:
        await shows(pool, "28.6")
        status, content = await pool.get("/miner", params={"address": text[:4000]})
    page = Elements(content)
    assert status == (404 if name == "W" * 63 else 400)
    assert [tag for tag, _ in page.found].count("script") == 1
    assert [tag for tag, _ in page.found].count("img") == 1
    assert "javascript:" not in {attributes.get("href") for _, attributes in page.found}


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (f"/miner/{BOB}", 200, "</span> for announcements worth 0.042 credits"),
        (f"/miner?address=+{BOB}%0A", 200, "Encryptions for blocks"),
        (f"/miner/{BOB.upper()}", 200, f"<bdi>{BOB}</bdi>"),
        (f"/miner/{STRANGER}", 404, "The pool knows no work of this address."),
        ("/miner/nobody", 404, "It is no PKT address"),
        ("/miner", 400, "This is no address."),
        ("/miner/%3Cscript%3E", 400, "&lt;script&gt;"),
        ("/miner/a%2Fb", 400, "This is no address."),
    ],
)
async def test_miners(peers: PoolPeers, tmp_path: Path, path: str, status: int, text: str) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        await shows(pool, "28.6")
        # The address that the form leads to begins with the path of master_url.
        found, page = await pool.get(path)
    assert found == status
    assert text in page


async def test_a_paymaker_that_goes_away(peers: PoolPeers, tmp_path: Path) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        await shows(pool, "28.6")
        peers.who_to_pay = None
        page = await shows(pool, "The paymaker has not answered for")
        assert "28.6" in page
        assert "Rates, blocks and payout are from <time" in page
        peers.who_to_pay = who_to_pay(milliseconds_now())
        await shows(pool, "Updated <time")


async def test_a_paymaker_that_was_never_there(peers: PoolPeers, tmp_path: Path) -> None:
    peers.who_to_pay = None
    async with paged_pool(tmp_path, peers) as pool:
        await shows(pool, "are not known yet")
        status, page = await pool.get(f"/miner/{BOB}")
    assert (status, "has not answered. " in page) == (503, False)
    assert "Nothing is known yet" in page


async def test_a_node_that_goes_away(peers: PoolPeers, tmp_path: Path) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        await shows(pool, "28.6")
        pool.node.faults["getbestblockhash"] = Fault(drops=True)
        page = await shows(pool, "node has not answered for")
    assert "Its last work is mined on." in page


@pytest.mark.parametrize(
    ("health", "text"),
    [
        (healthy(), "working"),
        (healthy(disk="it is full"), "disk: it is full"),
        ((503, {"status": "starting", "checks": {}}), "starting"),
        ((503, {"status": "degraded", "checks": {}}), "not working"),
        ((404, "not found"), "reachable"),
        ((200, "<html>"), "reachable"),
        ((502, "Bad Gateway"), "not reachable"),
        (None, "not reachable"),
    ],
)
async def test_handlers(
    peers: PoolPeers, tmp_path: Path, health: tuple[int, Json | str] | None, text: str
) -> None:
    peers.health["ah0"] = health
    async with paged_pool(tmp_path, peers, block_handlers=()) as pool:
        await shows(pool, f">{text}<")


async def test_rates_of_before_the_start_are_asked_for(peers: PoolPeers, tmp_path: Path) -> None:
    peers.rates_of = lambda at: (1000.0 + at % 7, 1e6)
    async with paged_pool(tmp_path, peers) as pool:
        await shows(pool, "in 5 h 50 min")
    assert len([path for path in peers.asked if "maxtime" in path]) == 35


async def test_an_existing_paymaker(peers: PoolPeers, tmp_path: Path) -> None:
    answer = who_to_pay(milliseconds_now())
    for name in ("why", "windows", "poolFeeAddress", "defaultAddress"):
        del answer[name]
    peers.who_to_pay, peers.blocks = answer, None
    async with paged_pool(tmp_path, peers) as pool:
        page = await shows(pool, "the paymaker does not say")
    assert "tells its last block only" in page
    assert not [path for path in peers.asked if "maxtime" in path]


async def test_a_master_without_pages(peers: PoolPeers, tmp_path: Path) -> None:
    async with paged_pool(tmp_path, peers, page=False) as pool:
        assert (await pool.get("/"))[0] == 404
        assert (await pool.get("/config.json"))[0] == 200
    assert peers.asked == []


async def events(stream: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Json]]:
    """The events of a stream as a browser reads them."""
    name = ""
    async for raw in stream.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def section_with(stream: AsyncIterator[tuple[str, Json]], name: str, text: str) -> None:
    async with asyncio.timeout(30):
        async for event, content in stream:
            if event == "section" and content["name"] == name and text in content["html"]:
                return


async def test_a_stream_begins_with_everything_and_goes_on_with_changes(
    peers: PoolPeers, tmp_path: Path
) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        await shows(pool, "28.6")
        async with pool.session.get(pool.url + "/live") as stream:
            assert stream.content_type == "text/event-stream"
            assert stream.headers["X-Accel-Buffering"] == "no"
            heard = events(stream)
            names = set()
            async for event, content in heard:
                if event == "beat":
                    break
                names.add(content["name"])
            assert names == {"freshness", "tiles", "charts", "blocks", "payout", "handlers"}
            peers.blocks = [listed(123_456, milliseconds_now(), ALICE)]
            await section_with(heard, "blocks", "123\u202f456")
            height = pool.node.chain.tip.height + 2
            pool.node.chain.add_made_up_block()
            await section_with(heard, "tiles", f"{height:,}".replace(",", "\u202f"))


async def test_so_many_look_at_a_time(peers: PoolPeers, tmp_path: Path) -> None:
    async with paged_pool(tmp_path, peers, page_live_clients=1) as pool:
        async with pool.session.get(pool.url + "/live") as first:
            await anext(events(first))
            async with pool.session.get(pool.url + "/live") as second:
                assert second.status == 503
                assert second.headers["Retry-After"] == "30"

        async def is_free() -> bool:
            async with pool.session.get(pool.url + "/live") as third:
                return third.status == 200

        await until(is_free)


async def test_who_does_not_read_is_dropped(
    peers: PoolPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never_taken(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("packetcrypt.pool.page_live.SLOW_SECONDS", 0.05)
    async with paged_pool(tmp_path, peers, page_live_clients=1) as pool:
        with monkeypatch.context() as patched:
            # As if the buffers on the way were full: those of a loopback hold megabytes.
            patched.setattr(web.StreamResponse, "write", never_taken)
            async with pool.session.get(pool.url + "/live") as slow, asyncio.timeout(30):
                with pytest.raises(aiohttp.ClientError):
                    await slow.read()
        async with pool.session.get(pool.url + "/live") as other:
            assert other.status == 200


async def test_streams_end_when_the_master_stops(peers: PoolPeers, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with paged_pool(tmp_path, peers) as pool:
            stream = await session.get(pool.url + "/live")
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 4  # and not aiohttp's five seconds
        stream.close()


async def test_nobody_is_asked_often_while_nobody_looks(
    peers: PoolPeers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.pool.page_watch.VISIT_SECONDS", 0.0)
    monkeypatch.setattr("packetcrypt.pool.page_watch.WATCHED_SECONDS", 0.0)
    peers.who_to_pay = {**who_to_pay(milliseconds_now())}
    del peers.who_to_pay["why"]  # so that nothing is asked about the past
    async with paged_pool(tmp_path, peers):
        await asyncio.sleep(0.5)
        assert peers.asked.count("/paymaker/whotopay") == 1
