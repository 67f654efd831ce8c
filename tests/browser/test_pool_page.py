"""The pool's page as people meet it: in a real browser, in front of a real master."""

from pathlib import Path

import pytest
from page_browser import OpenPage
from paymaker_setup import ALICE, BOB
from playwright.async_api import expect
from pool_page_setup import (
    HOSTILE_NAMES,
    PoolPeers,
    announcing,
    healthy,
    listed,
    mining,
    paged_pool,
    who_to_pay,
    why,
)

from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.protocol.address import WitnessProgram, format_address

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGER = format_address(WitnessProgram(0, bytes(20)))
PHONE = {"width": 360, "height": 740}
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
LUMINANCE = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
SHIFTS = """() => { window.shifted = 0; new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: false }); }"""


def hostile(peers: PoolPeers) -> None:
    """Makes everybody in the pool have one of the names that pay logs should not have."""
    now = milliseconds_now()
    peers.who_to_pay = who_to_pay(
        now,
        annMinerStats={name: announcing(now) for name in HOSTILE_NAMES},
        blkMinerStats={name: mining(now) for name in HOSTILE_NAMES},
        result={name: 1 / len(HOSTILE_NAMES) for name in HOSTILE_NAMES},
        why={name: why(blocks=(1.0, 0.1), payable=False) for name in HOSTILE_NAMES},
    )
    peers.blocks = [listed(99 - i, now - 1000 * i, name) for i, name in enumerate(HOSTILE_NAMES)]
    peers.health["ah0"] = healthy(disk="<img src=x onerror=alert(1)> " + "x" * 150)


async def test_it_is_live(peers: PoolPeers, tmp_path: Path, open_page: OpenPage) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        watched = await open_page(pool.url + "/")
        page = watched.page
        await expect(page.locator("#connection")).to_have_text("Live")
        await expect(page.get_by_role("heading", name="A pool")).to_have_count(1)
        await expect(page.locator("[data-section=blocks]")).to_contain_text("No block found yet")
        peers.blocks = [listed(123_456, milliseconds_now(), ALICE)]
        row = page.get_by_role("row").filter(has_text="123\u202f456")
        await expect(row.get_by_role("cell")).to_have_count(4)
        await expect(row).to_contain_text("ago")
        height = f"{pool.node.chain.tip.height + 2:,}".replace(",", "\u202f")
        pool.node.chain.add_made_up_block()
        await expect(page.locator("[data-section=tiles]")).to_contain_text(height)
        assert watched.complaints == []


async def test_an_update_moves_nothing(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        page = (await open_page(pool.url + "/")).page
        tiles = page.locator("[data-section=tiles]")
        await expect(page.locator("#connection")).to_have_text("Live")
        await expect(tiles).to_contain_text("28.6")
        await expect(page.locator("[data-section=handlers]")).to_contain_text("working")
        await page.wait_for_timeout(300)
        await page.evaluate(SHIFTS)
        peers.who_to_pay = who_to_pay(milliseconds_now(), totalKbps=98_700.0)
        await expect(tiles).to_contain_text("98.7")
        peers.who_to_pay = None
        await expect(page.locator("[data-section=freshness]")).to_contain_text("not answered")
        await page.wait_for_timeout(300)
        assert await page.evaluate("window.shifted") < 0.01


async def test_an_update_keeps_the_focus(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    peers.blocks = [listed(123_456, milliseconds_now(), ALICE)]
    async with paged_pool(tmp_path, peers) as pool:
        page = (await open_page(pool.url + "/")).page
        button = page.get_by_role("button", name="Copy the hash of block 123\u202f456")
        await button.focus()
        peers.blocks.insert(0, listed(123_457, milliseconds_now(), BOB))
        await expect(page.locator("[data-section=blocks]")).to_contain_text("123\u202f457")
        await expect(button).to_be_focused()


async def test_a_whole_hash_can_be_copied(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    block = listed(123_456, milliseconds_now(), ALICE)
    peers.blocks = [block]
    async with paged_pool(tmp_path, peers) as pool:
        watched = await open_page(pool.url + "/", permissions=["clipboard-read", "clipboard-write"])
        page = watched.page
        await page.get_by_role("button", name="Copy the hash of block").click()
        assert await page.evaluate("navigator.clipboard.readText()") == block["hash"]
        for kind, whole in (("Finder", ALICE), ("Hash", block["hash"])):
            code = page.locator(f"[data-section=blocks] td[data-label={kind}] code")
            await code.evaluate("code => getSelection().selectAllChildren(code)")
            await page.keyboard.press("Control+C")
            assert await page.evaluate("navigator.clipboard.readText()") == whole
        assert watched.complaints == []


async def test_without_a_clipboard_a_hash_is_marked(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    """Over plain HTTP, browsers let no page write to the clipboard."""
    block = listed(123_456, milliseconds_now(), ALICE)
    peers.blocks = [block]
    async with paged_pool(tmp_path, peers) as pool:
        page = (await open_page(pool.url + "/")).page
        await page.evaluate("delete Navigator.prototype.clipboard")
        await page.get_by_role("button", name="Copy the hash of block").click()
        assert await page.evaluate("getSelection().toString()") == block["hash"]


async def test_an_address_is_looked_up(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        watched = await open_page(pool.url + "/")
        page = watched.page
        await page.get_by_label("Your address").and_(page.get_by_role("searchbox")).fill(BOB)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{pool.url}/master/miner/{BOB}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(BOB)
        await expect(page.locator("dl")).to_contain_text("43 %")
        assert watched.complaints == []


async def test_a_miners_page_follows_changes(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        await pool.get("/")
        watched = await open_page("about:blank")
        page = watched.page
        await page.clock.install()
        await page.goto(f"{pool.url}/miner/{BOB}")
        await expect(page.locator("#connection")).to_have_text("Live")
        await expect(page.locator("dl")).to_contain_text("43 %")
        # Ten seconds lie between two looks: one follows the page's first events, one the change.
        async with page.expect_response(page.url):
            await page.clock.fast_forward(10_000)
        peers.who_to_pay = who_to_pay(milliseconds_now(), result={BOB: 0.77})
        await page.clock.fast_forward(10_000)
        await expect(page.locator("dl")).to_contain_text("77 %")
        assert watched.complaints == []


async def test_an_address_that_nobody_knows(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        page = (await open_page(f"{pool.url}/miner/{STRANGER}")).page
        await expect(page.locator("main")).to_contain_text(
            "The pool knows no work of this address."
        )
        await expect(page.locator("#address")).to_have_value(STRANGER)


@pytest.mark.parametrize("path", ["/", "/miner/" + "W" * 63])
@pytest.mark.parametrize("has_script", [True, False])
async def test_hostile_names_are_inert(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage, path: str, has_script: bool
) -> None:
    hostile(peers)
    async with paged_pool(tmp_path, peers, pool_name="<script>alert(1)</script>") as pool:
        watched = await open_page(pool.url + path, viewport=PHONE, java_script_enabled=has_script)
        page = watched.page
        await expect(page.locator("main")).to_contain_text("W" * 8)
        if has_script:
            await expect(page.locator("#connection")).to_have_text("Live")
            await page.wait_for_timeout(300)
        assert watched.complaints == []
        assert await page.locator("img").count() == 1
        assert await page.locator("script").count() == 1
        assert not await page.evaluate(TOO_WIDE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_both_colour_schemes(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage, scheme: str
) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        page = (await open_page(pool.url + "/", color_scheme=scheme)).page
        assert (await page.evaluate(LUMINANCE) > 128) is (scheme == "light")


@pytest.mark.parametrize("path", ["/", f"/miner/{BOB}", f"/miner/{STRANGER}", "/miner?address=%3C"])
async def test_a_phone_shows_it_without_scrolling_sideways(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage, path: str
) -> None:
    peers.blocks = [listed(123_456, milliseconds_now(), ALICE), listed(None, 0, BOB)]
    async with paged_pool(tmp_path, peers, pool_name="W" * 80) as pool:
        page = (await open_page(pool.url + path, viewport=PHONE)).page
        await expect(page.locator("#connection")).to_have_text("Live")
        assert not await page.evaluate(TOO_WIDE)


async def test_a_master_that_goes_away_and_comes_back(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    async with paged_pool(tmp_path, peers) as pool:
        port = pool.master.port
        page = (await open_page(pool.url + "/")).page
        await expect(page.locator("#connection")).to_have_text("Live")
    await expect(page.locator("#connection")).to_contain_text("Connection lost")
    await expect(page.locator("[data-section=tiles]")).to_contain_text("28.6")
    async with paged_pool(tmp_path, peers, bind=f"127.0.0.1:{port}"):
        await expect(page.locator("#connection")).to_have_text("Live", timeout=30_000)


async def test_without_script_everything_is_there(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    peers.blocks = [listed(123_456, milliseconds_now(), ALICE)]
    async with paged_pool(tmp_path, peers) as pool:
        await pool.get("/")
        page = (await open_page(pool.url + "/", java_script_enabled=False)).page
        for text in ("28.6", "123\u202f456", "43\u202f%", "working"):
            await expect(page.locator("main")).to_contain_text(text)
        await expect(page.get_by_role("button", name="Copy")).to_have_count(0)


async def test_landmarks_and_headings(
    peers: PoolPeers, tmp_path: Path, open_page: OpenPage
) -> None:
    peers.blocks = [listed(123_456, milliseconds_now(), ALICE)]
    async with paged_pool(tmp_path, peers) as pool:
        page = (await open_page(pool.url + "/", viewport=PHONE)).page
        for role in ("banner", "main", "contentinfo", "search"):
            await expect(page.get_by_role(role)).to_have_count(1)
        await expect(page.get_by_role("region", name="Handlers")).to_have_count(1)
        # Also on a phone, where rows look like cards, a table is a table.
        await expect(page.get_by_role("columnheader", name="Finder")).to_have_count(1)
        await expect(
            page.get_by_role("img", name="Mb/s now")
            .or_(page.get_by_role("img", name="Drawn when"))
            .first
        ).to_be_attached()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the figures")).to_be_focused()
