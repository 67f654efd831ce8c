"""docs/log.md: every field of every regular log line is explained."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from packetcrypt.client.subscription_statistics import SubscriptionStatistics
from packetcrypt.handler.block_statistics import BlockStatistics
from packetcrypt.handler.sprayer_statistics import SprayerStatistics
from packetcrypt.handler.statistics import HandlerStatistics
from packetcrypt.miner.accounting import FoundCounts, PoolCounts
from packetcrypt.miner.block_log_line import BlockMinerReport, ShareCounts, format_block_report
from packetcrypt.miner.log_line import MinerReport, PoolReport, format_report
from packetcrypt.pool.paymaker_statistics import PaymakerStatistics

DOCS = Path(__file__).parents[2] / "docs"

_SPRAYER = SprayerStatistics(*(0 for _ in fields(SprayerStatistics)))
_SUBSCRIBER = SubscriptionStatistics(0, 0, 0, 0, links=())
_MINER = MinerReport(
    seconds=10.0,
    found=FoundCounts(),
    pools=(PoolReport("http://pool.example", PoolCounts(), uploading=0, is_up=True),),
)
_BLOCK_MINER = BlockMinerReport(
    shares=ShareCounts(),
    hashes_per_second=0.0,
    multiplier=0,
    set_count=0,
    set_difficulty=0,
    ready=0,
    immature=0,
    classes=0,
    sprayed_per_second=0.0,
    downloaded=(0.0,),
)
LINES = {
    "Announcement handler": HandlerStatistics().line(HandlerStatistics(), 10.0, 0),
    "Block handler": BlockStatistics().line(BlockStatistics(), 10.0, 0),
    "Paymaker": PaymakerStatistics().line(PaymakerStatistics(), 10.0, 0),
    "Sprayer": _SPRAYER.line(_SPRAYER, 10.0),
    "Subscriber": _SUBSCRIBER.line(_SUBSCRIBER, 10.0) + " known 0",
    "Announcement miner": format_report(_MINER),
    "Block miner": format_block_report(_BLOCK_MINER),
}


def _section(title: str) -> str:
    """A section of the page, with the page that it refers to for the fields."""
    section = (DOCS / "log.md").read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    elsewhere = re.search(r"^\[([a-z-]+\.md)\]\(\S+\) explains the fields", section, re.M)
    return section + ((DOCS / elsewhere[1]).read_text() if elsewhere else "")


def _shape(line: str) -> list[str]:
    """A line without its numbers."""
    return re.findall(r"[A-Za-z]+(?:/[a-z]+)*", re.sub(r"\[[^]]*\]|[KMGTPE]?e/s", "", line))


@pytest.mark.parametrize("title", LINES)
def test_the_example_is_such_a_line(title: str) -> None:
    examples = re.findall(r"^    (.*)$", _section(title).split("\n|")[0], re.M)

    assert _shape(LINES[title]) in [_shape(example) for example in examples]


@pytest.mark.parametrize(
    ("title", "field"),
    [
        (title, field)
        for title, line in LINES.items()
        for field in _shape(line)
        if field not in ("s", "Mb/s", "b/s", "sprayer", "to", "from", "sprayers")
    ],
)
def test_every_field_is_explained(title: str, field: str) -> None:
    explained = " ".join(re.findall(r"^\| (`[^|]*) \|", _section(title), re.M))

    assert re.search(rf"`[^`]*\b{re.escape(field)}\b", explained)
