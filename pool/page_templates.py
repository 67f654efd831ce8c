"""How what a page says becomes HTML: every value is escaped, and a missing one is an error."""

import hashlib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from packetcrypt.pool import page_text
from packetcrypt.pool.page_miner import MinerPage
from packetcrypt.pool.page_view import Freshness, PoolPage

PAGES_FOLDER: Final = Path(__file__).parent / "pages"
SECTIONS: Final = tuple(field.name for field in fields(PoolPage))

_MEDIA_TYPES: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A file that pages link to; version changes with its content."""

    content: bytes
    media_type: str
    version: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """All of them, by name."""
    found = {}
    for name, media_type in _MEDIA_TYPES.items():
        content = (PAGES_FOLDER / name).read_bytes()
        found[name] = Asset(content, media_type, hashlib.sha256(content).hexdigest()[:12])
    return found


class PageTemplates:
    """Draws pages of one pool.

    root       : the path that links begin with
    master_url : what miners are to be given
    Times are milliseconds since 1970; the HTML is text.
    """

    def __init__(self, root: str, pool_name: str, master_url: str, version: str) -> None:
        environment = Environment(
            loader=FileSystemLoader(PAGES_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "iso": page_text.iso,
            "stamp": page_text.stamp,
            "ago": page_text.ago,
            "lasting": lambda milliseconds: page_text.duration(milliseconds / 1000),
        }
        environment.globals |= {
            "root": root,
            "pool_name": pool_name,
            "master_url": master_url,
            "version": version,
            "asset": lambda name: f"{root}/assets/{name}?v={assets()[name].version}",
        }
        self._pool = environment.get_template("pool.html")
        self._miner = environment.get_template("miner.html")
        self._sections = {
            name: environment.get_template(f"section_{name}.html") for name in SECTIONS
        }

    def section(self, name: str, section: object, now: int) -> str:
        """One section of the pool's page."""
        return self._sections[name].render(section=section, now=now)

    def pool(self, page: PoolPage, now: int) -> str:
        """The pool's page."""
        sections = {name: Markup(self.section(name, getattr(page, name), now)) for name in SECTIONS}
        return self._pool.render(sections=sections, now=now)

    def miner(self, page: MinerPage, freshness: Freshness, now: int) -> str:
        """The page of one address."""
        return self._miner.render(
            page=page,
            acquaintance=page.acquaintance.value,
            freshness=Markup(self.section("freshness", freshness, now)),
            now=now,
        )
