"""Whom a page names: miners are called what they called themselves, which may be anything."""

from dataclasses import dataclass
from urllib.parse import quote

from packetcrypt.pool.page_text import is_payto, visible


@dataclass(frozen=True)
class Name:
    """A name as it is shown; link is the path of its own page, "" if it can have none."""

    text: str
    link: str


def name_of(name: str | None, root: str) -> Name | None:
    """root : the path that links to miners' pages begin with."""
    if name is None:
        return None
    return Name(visible(name), miner_path(root, name) if is_payto(name) else "")


def miner_path(root: str, name: str) -> str:
    """Where the page of a miner is."""
    return f"{root}/miner/{quote(name, safe='')}"
