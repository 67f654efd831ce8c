"""What the pool's page says, of states that are made up."""

import json
from dataclasses import replace

import pytest
from paymaker_setup import ALICE, BOB, CAROL, FEE, POOL
from pool_page_setup import HOSTILE_NAMES, listed, who_to_pay, why

from packetcrypt.pool.page_handlers import HandlerKind, HandlerState, HandlerStatus
from packetcrypt.pool.page_miner import Acquaintance, miner_page
from packetcrypt.pool.page_paymaker import PaymakerReport, decode_blocks
from packetcrypt.pool.page_payout import payout_section
from packetcrypt.pool.page_rates import RateSample
from packetcrypt.pool.page_view import SHOWN_BLOCKS, pool_page
from packetcrypt.pool.page_watch import PoolState, Told
from packetcrypt.protocol.address import WitnessProgram, format_address

NOW = 1_700_000_000_000
MINUTE = 60_000
STRANGER = format_address(WitnessProgram(0, bytes(20)))


def report(**changes: object) -> PaymakerReport:
    return PaymakerReport.decode(json.dumps(who_to_pay(NOW, **changes)).encode())


def state(*blocks: dict[str, object], **changes: object) -> PoolState:
    found = decode_blocks(json.dumps({"blocks": blocks}).encode())
    known = PoolState(
        height=1_000_012,
        tip="ab" * 32,
        tip_seen=NOW - 34_000,
        paymaker=Told(report(), NOW),
        blocks=Told(found, NOW),
        handlers=(HandlerState(HandlerKind.ANNOUNCEMENTS, "http://pool.example/ah0"),),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def test_the_tiles() -> None:
    tiles = pool_page(state(), "").tiles
    assert [(tile.value, tile.unit) for tile in tiles] == [
        ("1\u202f000\u202f012", ""),
        ("28.6", "Mb/s"),
        ("3.47", "Me/s"),
        ("58.4", "an hour"),
        ("4.25", "an hour"),
    ]
    assert (tiles[0].note, tiles[0].moment) == ("last block", NOW - 34_000)
    assert tiles[4].note == "7.28\u202f% of the chain’s blocks"


def test_a_handler_has_seen_the_last_block_before_the_master() -> None:
    block = listed(1_000_011, NOW - 40_000)
    tiles = pool_page(state(block, tip=block["hash"], tip_seen=None), "").tiles
    assert tiles[0].moment == NOW - 40_000


def test_nothing_is_known_yet() -> None:
    page = pool_page(PoolState(), "")
    assert [tile.value for tile in page.tiles] == ["–"] * 5
    assert not page.freshness.has_work
    assert not page.blocks.is_known
    assert not page.payout.is_known
    assert [chart.drawing for chart in page.charts] == [None] * 3
    assert page.handlers == ()


def test_no_block_found_is_known() -> None:
    section = pool_page(state(listed(5, NOW)), "").blocks
    assert (section.is_known, section.rows) == (True, ())


def test_blocks_of_the_pool_and_what_became_of_them() -> None:
    blocks = (
        listed(None, NOW - 30_000, BOB),
        listed(9, NOW - MINUTE),
        listed(8, NOW - 2 * MINUTE, ALICE),
        listed(8, NOW - 3 * MINUTE, BOB, displaced=True),
        listed(None, NOW - 9 * MINUTE, BOB),
    )
    rows = pool_page(state(*blocks), "/p").blocks.rows
    assert [(row.height, row.state) for row in rows] == [
        ("–", "not seen in the chain yet"),
        ("8", ""),
        ("8", "displaced: the chain took another block"),
        ("–", "never seen in the chain"),
    ]
    assert rows[1].finder is not None
    assert rows[1].finder.link == f"/p/miner/{ALICE}"


def test_only_the_newest_blocks_are_shown() -> None:
    blocks = [listed(100 - i, NOW - i * MINUTE, ALICE) for i in range(SHOWN_BLOCKS + 1)]
    section = pool_page(state(*blocks), "").blocks
    assert len(section.rows) == SHOWN_BLOCKS
    assert section.note == f"The newest {SHOWN_BLOCKS} are shown."


def test_a_paymaker_that_does_not_list_blocks() -> None:
    page = pool_page(state(lists_blocks=False, blocks=Told()), "")
    assert [row.hash for row in page.blocks.rows] == ["ab" * 32]
    assert "does not list blocks" in page.charts[2].summary


def test_the_charts() -> None:
    rates = tuple(RateSample(NOW + i * MINUTE, 1000.0 * i, 0.0) for i in range(5))
    blocks = [
        listed(12, NOW, ALICE),
        listed(11, NOW - 30_000),
        listed(11, NOW - 31_000, BOB, displaced=True),
        listed(10, NOW - 90_000),
        listed(7, NOW - 900_000),
    ]
    announcements, _, intervals = pool_page(state(*blocks, rates=rates), "").charts
    assert (announcements.unit, intervals.unit) == ("Mb/s", "s")
    assert announcements.summary == "4.00 Mb/s now, 0 to 4.00 in 4 min"
    assert intervals.summary == "45 s on average of 2 blocks, 1 found here"
    assert intervals.drawing is not None
    assert [bar.is_own for bar in intervals.drawing.bars] == [False, True]


def test_hours_before_the_first_miner_are_not_drawn() -> None:
    rates = (*(RateSample(i, 0.0, 0.0) for i in range(9)), RateSample(9 * MINUTE, 5.0, 1.0))
    chart = pool_page(state(rates=rates), "").charts[0]
    assert chart.summary.endswith("in 8 min")


def test_who_is_paid_and_why() -> None:
    rows = payout_section(report(), "").rows
    assert [row.percent for row in rows] == [f"{n}\u202f%" for n in (43, 30, 15, 10, 2)]
    reasons = {
        row.name.text: [(p.percent[:-2], p.reason) for p in row.parts] for row in rows if row.name
    }
    assert reasons[BOB] == [
        ("10", "for block shares worth 0.2 credits"),
        ("33", "for announcements worth 0.042 credits"),
    ]
    assert reasons[POOL] == [("15", "is what nobody earned (default address)")]
    assert reasons[FEE] == [("2", "is the pool’s fee")]


def test_one_address_may_get_fee_pay_and_rest() -> None:
    known = report(result={POOL: 1.0}, poolFeeAddress=POOL, why={POOL: why(blocks=(1.0, 0.5))})
    (row,) = payout_section(known, "").rows
    assert [part.percent[:-2] for part in row.parts] == ["50", "2", "48"]


def test_a_paymaker_that_says_no_reasons() -> None:
    rows = payout_section(replace(report(), why=None), "").rows
    assert all(row.parts == () for row in rows)


def test_names_that_cannot_be_paid_are_named() -> None:
    section = payout_section(report(why={"nobody": why(blocks=(1.0, 0.2), payable=False)}), "")
    assert [(row.name and row.name.text, row.percent) for row in section.unpaid] == [
        ("nobody", "20\u202f%")
    ]


def test_the_smallest_parts_of_a_large_pool_are_summed_up() -> None:
    section = payout_section(report(result={f"a{i}": 0.001 for i in range(1000)}), "")
    assert len(section.rows) == 100
    assert section.hidden == "900 more addresses get 90\u202f% together; look yours up."


@pytest.mark.parametrize(
    ("announcements", "blocks", "text"),
    [
        (750.0, 11_100.0, "12 min of announcements or 3 h 5 min of block shares"),
        (0.0, 60.0, "1 min of block shares"),
        (0.0, 0.0, "there is none yet"),
    ],
)
def test_the_warm_up(announcements: float, blocks: float, text: str) -> None:
    known = report(annPayoutWarmupPeriod=announcements, blkPayoutWarmupPeriod=blocks)
    assert text in payout_section(known, "").warmup


def test_handlers_and_what_is_wrong() -> None:
    handler = HandlerState(HandlerKind.BLOCK_SHARES, "http://pool.example/bh1/")
    told = handler.told(HandlerStatus.DEGRADED, ("node: it is away",), NOW)
    (row,) = pool_page(state(handlers=(told,)), "").handlers
    assert (row.name, row.kind, row.status, row.tone) == (
        "bh1",
        "block shares",
        "in trouble",
        "warn",
    )
    assert (row.problems, row.since) == (("node: it is away",), NOW)


def test_a_handlers_state_is_as_old_as_its_status() -> None:
    handler = HandlerState(HandlerKind.BLOCK_SHARES, "http://pool.example/bh1/")
    first = handler.told(HandlerStatus.DEGRADED, ("a",), NOW)
    second = first.told(HandlerStatus.DEGRADED, ("b",), NOW + 5)
    assert (second.problems, second.since) == (("b",), NOW)
    assert second.told(HandlerStatus.OK, (), NOW + 9).since == NOW + 9


def test_silence_keeps_what_was_told() -> None:
    told = Told(report(), NOW).silent(NOW + 5).silent(NOW + 9)
    page = pool_page(state(paymaker=told), "")
    assert (page.freshness.at, page.freshness.paymaker_silent) == (NOW, NOW + 5)
    assert page.payout.is_known
    assert told.told(report(), NOW + 20).silent_since is None


def test_a_miner_who_does_both() -> None:
    page = miner_page(state(listed(7, NOW, BOB), listed(6, NOW, ALICE)), BOB, "")
    assert (page.acquaintance, page.payable) == (Acquaintance.KNOWN, True)
    assert [(tile.label, tile.value, tile.unit) for tile in page.tiles] == [
        ("Next block pays", "43", "%"),
        ("Announcements", "20.1", "Mb/s"),
        ("Encryptions for announcements", "1.20", "Me/s"),
        ("Warm-up", "100", "%"),
        ("Encryptions for blocks", "910", "Ke/s"),
    ]
    assert [row.height for row in page.blocks] == ["7"]
    assert len(page.parts) == 2


def test_a_miner_that_warms_up() -> None:
    tiles = {tile.label: tile for tile in miner_page(state(), CAROL, "").tiles}
    assert (tiles["Warm-up"].value, tiles["Warm-up"].note) == (
        "42.5",
        "of the paid time has passed",
    )


def test_an_address_in_capitals_is_the_same() -> None:
    assert miner_page(state(), BOB.upper(), "").name.text == BOB


@pytest.mark.parametrize(
    ("name", "acquaintance", "payable"),
    [
        (STRANGER, Acquaintance.UNKNOWN, True),
        ("nobody", Acquaintance.UNKNOWN, False),
        (BOB[:-1], Acquaintance.UNKNOWN, False),
        ("", Acquaintance.IMPOSSIBLE, False),
        ("a b", Acquaintance.IMPOSSIBLE, False),
        ("a" * 64, Acquaintance.IMPOSSIBLE, False),
    ],
)
def test_who_is_not_known(name: str, acquaintance: Acquaintance, payable: bool) -> None:
    page = miner_page(state(), name, "")
    assert (page.acquaintance, page.payable) == (acquaintance, payable)


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name != "W" * 63])
def test_hostile_names_have_no_page(name: str) -> None:
    page = miner_page(state(), name, "")
    assert (page.acquaintance, page.name.link) == (Acquaintance.IMPOSSIBLE, "")


def test_a_miner_while_nothing_is_known() -> None:
    assert miner_page(PoolState(), BOB, "").acquaintance is Acquaintance.NOT_ASKED


def test_why_a_name_is_no_address() -> None:
    page = miner_page(state(), BOB[:-1] + ("q" if BOB[-1] != "q" else "p"), "")
    assert page.trouble
    assert BOB[:-1] not in page.trouble
