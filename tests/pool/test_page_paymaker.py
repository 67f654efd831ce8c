"""What the pages read of a paymaker: of ours, of an existing one, and of a broken one."""

import json
from pathlib import Path

import pytest
from paymaker_setup import ALICE, BOB, FEE, POOL, anns, block, body, paymaker, share
from pktd_stand_in import pktd_stand_in
from pool_page_setup import HOSTILE_NAMES, announcing, listed, who_to_pay

from packetcrypt.pool.page_paymaker import PaymakerReport, decode_blocks
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.protocol.errors import DecodeError

NOW = 1_700_000_000_000


def decoded(**changes: object) -> PaymakerReport:
    return PaymakerReport.decode(json.dumps(who_to_pay(NOW, **changes)).encode())


async def test_our_own_paymaker_is_understood(tmp_path: Path) -> None:
    now = milliseconds_now() - 200_000
    async with (
        pktd_stand_in() as node,
        paymaker(node, tmp_path, pool_fee=0.1, pool_fee_address=FEE) as user,
    ):
        won = share(ALICE, now + 2, block=True, headerHash=block(now + 3, 1.0)["hash"])
        await user.upload(
            body(block(now, 1.0, height=6), won, block(now + 3, 1.0), anns(BOB, now + 4))
        )
        async with user.session.get(user.url + "/whotopay") as answer:
            report = PaymakerReport.decode(await answer.read())
        async with user.session.get(user.url + "/blocks") as answer:
            blocks = decode_blocks(await answer.read())
    assert report.why is not None
    assert report.why[ALICE].blocks.share == pytest.approx(0.9 / 8, rel=1e-4)
    assert (report.fee_address, report.default_address) == (FEE, POOL)
    assert report.announcement_miners[BOB].warmup == 1.0
    assert sum(report.payout.values()) == pytest.approx(1)
    assert [(found.finder, found.is_displaced) for found in blocks] == [
        (ALICE, False),
        (None, False),
    ]


def test_an_existing_paymaker_lacks_what_is_ours() -> None:
    answer = who_to_pay(NOW)
    for name in ("why", "windows", "poolFeeAddress", "defaultAddress"):
        del answer[name]
    report = PaymakerReport.decode(json.dumps(answer).encode())
    assert (report.why, report.fee_address, report.default_address) == (None, None, None)
    assert report.payout[BOB] == 0.43


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_may_be_anything(name: str) -> None:
    report = decoded(annMinerStats={name: announcing(NOW)}, result={name: 1.0})
    assert list(report.announcement_miners) == list(report.payout) == [name]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("totalKbps", None, '"totalKbps" must be a number, got null'),
        ("totalKbps", -1, '"totalKbps" of the paymaker must be 0 or more'),
        ("generatedAt", "now", '"generatedAt" must be an integer'),
        ("result", [], "expected a JSON object, got an array"),
        ("result", {ALICE: "all"}, "must be a number"),
        ("annMinerStats", {ALICE: {}}, '"kbps" is missing'),
        ("lastWonBlock", "<b>", "64 hexadecimal digits"),
        ("why", {ALICE: {"payable": 1}}, '"blocks" is missing'),
    ],
)
def test_what_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decoded(**{field: value})


def test_a_list_of_blocks() -> None:
    answer = {"blocks": [listed(7, NOW, ALICE), {**listed(None, NOW), "hash": None}]}
    first, second = decode_blocks(json.dumps(answer).encode())
    assert (first.height, first.finder, first.is_displaced) == (7, ALICE, False)
    assert (second.height, second.hash, second.finder) == (None, None, None)


@pytest.mark.parametrize(
    "answer", [{}, {"blocks": {}}, {"blocks": [7]}, {"blocks": [{"time": "then"}]}]
)
def test_a_list_of_blocks_that_is_none(answer: object) -> None:
    with pytest.raises(DecodeError, match="blocks"):
        decode_blocks(json.dumps(answer).encode())
