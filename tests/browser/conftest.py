"""A headless Chromium of this machine, and a page that tells everything that goes wrong in it."""

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from page_browser import OpenPage, Watched
from playwright.async_api import Browser, async_playwright
from pool_page_setup import PoolPeers, pool_peers

_ARGUMENTS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        text = "there is no Chromium: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    arguments = [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens a URL in a window of its own; options are Playwright's of a context."""
    contexts = []

    async def opened(url: str, **options: Any) -> Watched:
        context = await browser.new_context(**options)
        contexts.append(context)
        watched = Watched(await context.new_page())
        page = watched.page
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                watched.complaints.append(message.text) if message.type == "error" else None
            ),
        )
        page.on("dialog", lambda dialog: watched.complaints.append(f"dialog {dialog.message}"))
        await page.goto(url)
        return watched

    yield opened
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def peers() -> AsyncIterator[PoolPeers]:
    async with pool_peers() as peers:
        yield peers


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packetcrypt.pool.page_server.LOOK_SECONDS", 0.05)
    monkeypatch.setattr("packetcrypt.pool.page_watch.WATCHED_SECONDS", 0.2)
