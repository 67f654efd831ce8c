"""The pages as a site: it builds without a warning, links lead somewhere, all is fetched there."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.stem for path in (ROOT / "docs").glob("*.md"))

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements that a browser fetches by itself, and where it finds the address."""


class Page(HTMLParser):
    """What a page of the site links to, fetches, and can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.anchors.add(attributes.get("id") or "")
        if tag == "a":
            self.links.append(attributes.get("href") or "")
        elif tag in _LOADED:
            self.fetched.append(attributes.get(_LOADED[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(site: Path, page: str) -> None:
    links = [urlsplit(link) for link in Page(site / f"{page}.html").links]

    inner = [link for link in links if not link.netloc]
    assert len(inner) > len(PAGES)
    for link in inner:
        target = site / unquote(link.path or f"{page}.html")
        target = target / "index.html" if target.is_dir() else target
        assert target.is_file(), f"{page}: {link.geturl()}"
        assert not link.fragment or unquote(link.fragment) in Page(target).anchors, link.geturl()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fetches_nothing_from_elsewhere(site: Path, page: str) -> None:
    fetched = [urlsplit(address) for address in Page(site / f"{page}.html").fetched]

    assert fetched
    assert not [address.geturl() for address in fetched if address.scheme or address.netloc]


def test_style_sheets_fetch_nothing_from_elsewhere(site: Path) -> None:
    sheets = list(site.rglob("*.css"))

    assert sheets
    for sheet in sheets:
        text = sheet.read_text()
        assert "url(http" not in text.replace('"', "").replace("'", "")
        assert "url(//" not in text.replace('"', "").replace("'", "")
        assert "@import" not in text
