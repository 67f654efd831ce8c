"""The paymaker over real HTTP with a real ledger, as handlers, miners and its node meet it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from handler_announcements import UNSIGNED
from handler_setup import loopback
from paymaker_setup import (
    ALICE,
    BOB,
    CAROL,
    FEE,
    POOL,
    anns,
    block,
    body,
    paymaker,
    share,
)
from paymaker_stand_in import PASSWORD
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.client.http import PoolNonsense
from packetcrypt.client.paymaker import PaymakerClient, pay_log_event_id
from packetcrypt.handler.settings import PoolSettings
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.protocol.errors import ConfigError


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as node:
        yield node


@pytest.fixture
def now() -> int:
    """A while ago, so that events some seconds later are not in the future."""
    return milliseconds_now() - 600_000


async def test_a_handlers_uploader_is_confirmed(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    async with paymaker(node, tmp_path) as user:
        client = PaymakerClient(user.session, user.url, PASSWORD, 10)
        await client.upload(body(anns(ALICE, now)))
        assert user.paymaker.statistics.announcement_posts == 1
        with pytest.raises(PoolNonsense, match="paymaker_http_password"):
            await PaymakerClient(user.session, user.url, "guess", 10).upload(body(anns(BOB, now)))
        assert user.paymaker.statistics.uploads == 1


async def test_what_is_paid_and_why(node: PktdStandIn, tmp_path: Path, now: int) -> None:
    # At difficulty 1 a share is 1/4 credit and 65536 announcements are a credit. The newest credit
    # of shares is paid, half of the payout for it; and the newest 1/16 credit of announcements.
    log = body(
        block(now, 1.0),
        share(ALICE, now + 1),
        share(ALICE, now + 2),
        share(BOB, now + 3),
        share(BOB, now + 4),
        share(BOB, now + 5),
        anns(CAROL, now + 60_000, 3072),
        anns(ALICE, now + 120_000, 1024),
    )
    async with paymaker(node, tmp_path, pool_fee=0.1, pool_fee_address=FEE) as user:
        await user.upload(log)
        answer = await user.who_to_pay()
    about = pytest.approx
    assert answer["result"] == about(
        {
            BOB: 0.9 * 0.375,
            CAROL: 0.9 * 0.375,
            ALICE: 0.9 * (0.125 + 0.125),
            FEE: 0.1,
        },
        rel=1e-4,
    )
    assert answer["poolFee"] == 0.1
    assert (answer["blockMiners"], answer["annMiners"]) == (2, 2)
    assert answer["windows"]["blocks"] == {
        "from": now + 2,
        "to": now + 5,
        "credits": about(1.0),
        "share": about(0.5),
    }
    assert answer["windows"]["announcements"] == {
        "from": now + 60_000,
        "to": now + 120_000,
        "credits": about(1 / 16),
        "share": about(0.5),
    }
    why = answer["why"]
    assert why[ALICE]["blocks"] == about({"credits": 0.25, "share": 0.9 * 0.125}, rel=1e-4)
    assert why[ALICE]["announcements"] == about({"credits": 1 / 64, "share": 0.9 * 0.125})
    assert why[CAROL]["blocks"] == {"credits": 0.0, "share": 0.0}
    assert answer["annMinerStats"][CAROL]["credits"] == about(3 / 64)
    assert answer["blkMinerStats"][BOB]["lastSeen"] == now + 5
    assert (answer["warn"], answer["error"]) == ([], [])
    for address, fraction in answer["result"].items():
        if address != FEE:
            sides = (why[address]["blocks"]["share"], why[address]["announcements"]["share"])
            assert sum(sides) == about(fraction, abs=1e-9)


async def test_maxtime_is_the_payout_of_then(node: PktdStandIn, tmp_path: Path, now: int) -> None:
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(block(now, 1.0), share(ALICE, now + 10), share(BOB, now + 20)))
        assert set((await user.who_to_pay(now + 9))["result"]) == {POOL}
        assert set((await user.who_to_pay(now + 10))["result"]) == {POOL, ALICE}
        assert set((await user.who_to_pay(now + 20))["result"]) == {POOL, ALICE, BOB}
        for text in ("", "x", "-1", "1.5", "1" * 17):
            status, answer = await user.get(f"/whotopay?maxtime={text}")
            assert (status, answer["result"]) == (400, None)
            assert "maxtime must be milliseconds" in answer["error"][0]


async def test_events_of_the_future_do_not_count_yet(node: PktdStandIn, tmp_path: Path) -> None:
    later = milliseconds_now() + 3_600_000
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(share(ALICE, later)))
        _, answer = await user.get("/whotopay")
        assert answer["result"] == {POOL: 1.0}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_the_order_of_uploads_does_not_matter(
    node: PktdStandIn, tmp_path: Path, now: int, order: tuple[int, ...]
) -> None:
    logs = (
        body(block(now, 8.0), anns(ALICE, now + 5, 1000)),
        body(block(now + 10, 1.0), share(BOB, now + 11)),
        body(anns(CAROL, now + 20, 500), share(ALICE, now + 6)),
    )
    async with paymaker(node, tmp_path) as user:
        for index in order:
            await user.upload(logs[index])
        result = (await user.who_to_pay())["result"]
    # Alice: 1000 ÷ 65536 ÷ 8 ÷ 0.125, and a share of 1/4 ÷ 8 ÷ 2.
    assert result[ALICE] == pytest.approx(1000 / 65536 + 1 / 64, rel=1e-4)
    assert result[BOB] == pytest.approx(1 / 8, rel=1e-4)
    assert result[CAROL] == pytest.approx(500 / 65536 * 8)


async def test_nothing_is_paid_twice_also_after_a_restart(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    log = body(block(now, 1.0), share(ALICE, now + 1), anns(BOB, now + 2, 1000))
    other = body(share(ALICE, now + 1), anns(BOB, now + 2, 1000), share(CAROL, now + 3))
    async with paymaker(node, tmp_path) as user:
        _, first = await user.upload(log)
        before = (await user.who_to_pay())["result"]
        _, replayed = await user.upload(log)
        assert (await user.who_to_pay())["result"] == before
    async with paymaker(node, tmp_path) as user:
        _, again = await user.upload(log)
        assert (await user.who_to_pay())["result"] == before
        _, overlapping = await user.upload(other)
        after = (await user.who_to_pay())["result"]
    assert first == {"result": {"eventId": pay_log_event_id(log)}, "warn": [], "error": []}
    assert replayed["result"] == again["result"] == first["result"]
    assert "came before" in replayed["warn"][0]
    assert overlapping["warn"] == ["2 events came before: they are not paid again"]
    assert {**before, POOL: after[POOL], CAROL: after[CAROL]} == after
    assert after[CAROL] == pytest.approx(1 / 8, rel=1e-4)


async def test_the_same_upload_twice_at_the_same_time(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    log = body(*(anns(ALICE, now + i) for i in range(200)))
    async with paymaker(node, tmp_path) as user:
        replies = await asyncio.gather(*(user.upload(log) for _ in range(5)))
        assert user.paymaker.statistics.announcement_posts == 200
    assert {status for status, _ in replies} == {200}
    assert sum(bool(reply["warn"]) for _, reply in replies) == 4


async def test_a_line_that_is_no_event_loses_no_other(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    good = [body(share(ALICE, now + 1)), body(anns(BOB, now + 2))]
    log = good[0] + b'{"type":"share"\n\n' + good[1] + b'{"type":"tax"}\n\xff\n'
    async with paymaker(node, tmp_path) as user:
        status, reply = await user.upload(log)
        _, stats = await user.get("/stats")
        await PaymakerClient(user.session, user.url, PASSWORD, 10).upload(log)
    assert (status, reply["result"]) == (200, {"eventId": pay_log_event_id(log)})
    assert [error.split(":")[0] for error in reply["error"]] == ["line 2", "line 5", "line 6"]
    assert 'must be "anns", "share" or "block", got' in reply["error"][1]
    assert stats["ledger"]["shares"] == stats["ledger"]["anns"] == 1
    assert stats["ledger"]["refusedLines"] == 3


async def test_many_bad_lines_make_no_long_answer(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path) as user:
        _, reply = await user.upload(b"x\n" * 1000)
    assert len(reply["error"]) == 21
    assert reply["error"][-1] == "980 more lines that are no events"


@pytest.mark.parametrize("log", [b"", b"\n\n"])
async def test_an_empty_pay_log_is_confirmed(node: PktdStandIn, tmp_path: Path, log: bytes) -> None:
    async with paymaker(node, tmp_path) as user:
        status, reply = await user.upload(log)
    assert (status, reply["result"]) == (200, {"eventId": pay_log_event_id(log)})


@pytest.mark.parametrize("password", ["", "guess", PASSWORD + "x", "☃"])
async def test_a_wrong_password(node: PktdStandIn, tmp_path: Path, now: int, password: str) -> None:
    async with paymaker(node, tmp_path) as user:
        status, reply = await user.upload(body(share(ALICE, now)), password)
        assert (status, reply["error"]) == (401, ["unauthorized"])
        async with user.session.post(user.url + "/events", data=b"") as plain:
            assert plain.status == 401
            assert plain.headers["WWW-Authenticate"].startswith("Basic ")
        assert user.paymaker.statistics.uploads == 0


async def test_a_body_may_be_so_long(node: PktdStandIn, tmp_path: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"\n" * 100

    async with paymaker(node, tmp_path, max_body=1000) as user:
        assert (await user.upload(b"\n" * 1000))[0] == 200
        for content in (b"\n" * 1001, chunks()):
            status, reply = await user.upload(content)
            assert status == 413
            assert "more than 1000 bytes: raise max_body" in reply["error"][0]


async def test_a_body_that_does_not_come(node: PktdStandIn, tmp_path: Path) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    async with paymaker(node, tmp_path, request_timeout=0.05) as user:
        assert (await user.upload(nothing()))[0] == 408


async def test_the_path_of_public_url_may_come_along(node: PktdStandIn, tmp_path: Path) -> None:
    url = "http://pool.example/paymaker/"
    async with paymaker(node, tmp_path, public_url=url) as user:
        assert (await user.get("/paymaker/whotopay"))[0] == 200
        assert (await user.get("/whotopay"))[0] == 200
        assert (await user.get("/other"))[0] == 404


async def test_who_gave_no_address_is_not_paid(node: PktdStandIn, tmp_path: Path, now: int) -> None:
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(block(now, 1.0), share("nobody", now + 1), share(ALICE, now + 2)))
        answer = await user.who_to_pay()
    assert set(answer["result"]) == {POOL, ALICE}
    assert answer["why"]["nobody"]["payable"] is False
    assert "1 miners gave no PKT address (nobody): default_address" in answer["warn"][0]


async def test_an_address_in_capitals_is_the_same_address(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(share(ALICE.upper(), now), share(ALICE, now + 1)))
        answer = await user.who_to_pay()
    assert list(answer["blkMinerStats"]) == [ALICE]


async def test_unsigned_announcements_where_the_pool_signs(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    pool = PoolSettings(
        master_url="http://pool.example/master",
        root_workdir=tmp_path,
        paymaker_http_password=PASSWORD,
        private_seed="a long word",
    )
    async with paymaker(node, tmp_path, pool=pool) as user:
        await user.upload(
            body(block(now, 1.0), anns(ALICE, now + 1, 1000, unsigned=400, totalLen=100 * 16384))
        )
        answer = await user.who_to_pay()
    assert answer["annMinerStats"][ALICE]["credits"] == pytest.approx(500 / 65536)


async def test_before_any_block_the_node_says_the_difficulty(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    node.faults["getblockheader"] = Fault(drops=True)
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(share(ALICE, now)))
        answer = await user.who_to_pay()
        assert answer["result"] == {POOL: 1.0}
        assert "the node has not said the difficulty yet" in answer["warn"][0]
        await node.asked("getblockheader")
        node.faults.clear()
        async with asyncio.timeout(30):
            while not (answer := await user.who_to_pay())["blkMinerStats"][ALICE]["credits"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    # The stand-in's blocks have difficulty 1.5.
    assert answer["blkMinerStats"][ALICE]["credits"] == pytest.approx(1 / 6, rel=1e-4)
    asked = node.count("getblockheader")
    async with paymaker(node, tmp_path) as user:
        again = await user.who_to_pay()
        assert again["blkMinerStats"] == answer["blkMinerStats"]
        await node.asked("configureminingpayouts", 2)
    assert node.count("getblockheader") == asked


async def test_blocks_won_and_seen(node: PktdStandIn, tmp_path: Path) -> None:
    now = milliseconds_now()
    won = share(ALICE, now - 1000, block=True, headerHash="ab" * 31 + "cd")
    older = share(BOB, now - 7_200_000, block=True, headerHash="ef" * 32)
    chain = [block(now - minutes * 60_000, 1.0) for minutes in (1, 2, 3, 119)]
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(won, older, *chain))
        _, answer = await user.get("/whotopay")
    assert answer["lastWonBlock"] == "ab" * 31 + "cd"
    assert answer["lastWonBlockTime"] == now - 1000
    assert answer["winsPerHour"] == pytest.approx(1, rel=0.01)
    assert answer["blocksPerHour"] == pytest.approx(2, rel=0.01)


async def test_speeds_are_of_ten_minutes_until_a_minute_ago(
    node: PktdStandIn, tmp_path: Path
) -> None:
    at = milliseconds_now()
    log = body(
        anns(ALICE, at - 59_000, 7000),
        anns(ALICE, at - 61_000, 6000),
        anns(ALICE, at - 600_000, 1500),
        anns(ALICE, at - 700_000, 9000),
        share(BOB, at - 61_000, encryptions=600_000),
    )
    async with paymaker(node, tmp_path) as user:
        await user.upload(log)
        answer = await user.who_to_pay(at)
    alice = answer["annMinerStats"][ALICE]
    assert alice["kbps"] == pytest.approx(7500 * 8.192 / 600)
    assert alice["currentEncryptionsPerSecond"] == pytest.approx(7500 * 256 / 600)
    assert answer["totalKbps"] == alice["kbps"]
    assert answer["blkMinerStats"][BOB]["currentEncryptionsPerSecond"] == pytest.approx(1000)
    assert answer["totalEncryptionsPerSecond"] == pytest.approx(1000 + 7500 * 256 / 600)


async def test_how_long_a_new_miner_warms_up(node: PktdStandIn, tmp_path: Path) -> None:
    at = milliseconds_now()
    log = body(
        block(at - 1_000_000, 1.0),
        anns(BOB, at - 800_000, 65536),
        anns(BOB, at - 400_000, 3500),
        anns(ALICE, at - 100_000, 1000),
    )
    async with paymaker(node, tmp_path) as user:
        await user.upload(log)
        answer = await user.who_to_pay(at)
    assert answer["annPayoutWarmupPeriod"] == pytest.approx(400)
    assert answer["blkPayoutWarmupPeriod"] == 0
    assert answer["annMinerStats"][ALICE]["warmupPercent"] == pytest.approx(25)
    assert answer["annMinerStats"][BOB]["warmupPercent"] == 100


async def test_the_stats(node: PktdStandIn, tmp_path: Path, now: int) -> None:
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(share(ALICE, now)))
    async with paymaker(node, tmp_path) as user:
        await user.upload(body(share(ALICE, now), anns(BOB, now), block(now, 1.0)))
        await user.upload(body(share(ALICE, now)))
        status, stats = await user.get("/stats")
    assert status == 200
    assert stats["ledger"] == {
        "uploads": 2,
        "anns": 1,
        "shares": 1,
        "blocks": 1,
        "repeated": 1,
        "refusedLines": 0,
    }
    assert stats["memory"] == {"anns": 1, "shares": 1, "blocks": 1, "addresses": 2}
    assert (stats["sinceStart"]["uploads"], stats["sinceStart"]["replays"]) == (2, 1)


async def test_a_ledger_that_cannot_be_written_confirms_nothing(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    log = body(share(ALICE, now))
    async with paymaker(node, tmp_path) as user:
        path = user.paymaker.settings.ledger
        with sqlite3.connect(path) as other:
            other.execute("ALTER TABLE shares RENAME TO hidden")
        other.close()
        status, reply = await user.upload(log)
        assert (status, reply["result"]) == (500, None)
        assert "send it again" in reply["error"][0]
        with sqlite3.connect(path) as other:
            other.execute("ALTER TABLE hidden RENAME TO shares")
        other.close()
        status, reply = await user.upload(log)
        assert (status, reply["warn"]) == (200, [])
        assert user.paymaker.statistics.failed == 1


async def test_old_events_leave_memory_and_not_the_ledger(
    node: PktdStandIn, tmp_path: Path, now: int
) -> None:
    log = body(block(now - 9_000_000, 1.0), share(ALICE, now - 8_000_000), share(BOB, now))
    async with paymaker(node, tmp_path) as user:
        await user.upload(log)
    async with paymaker(node, tmp_path, history=3600.0) as user:
        _, stats = await user.get("/stats")
        answer = await user.who_to_pay()
        _, again = await user.upload(body(share(ALICE, now - 8_000_000)))
    assert stats["memory"]["shares"] == 1
    assert stats["ledger"]["shares"] == 2
    assert list(answer["blkMinerStats"]) == [BOB]
    assert answer["blkMinerStats"][BOB]["credits"] == pytest.approx(0.25, rel=1e-4)
    assert again["warn"] == ["1 events came before: they are not paid again"]


async def test_one_folder_has_one_paymaker(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path):
        with pytest.raises(ConfigError, match="in use by another running service"):
            async with paymaker(node, tmp_path):
                pass


async def test_too_many_questions(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("packetcrypt.pool.paymaker_reckoning.WAITING_MAX", 0)
    monkeypatch.setattr("packetcrypt.pool.paymaker_intake.WAITING_MAX", 0)
    async with paymaker(node, tmp_path) as user:
        assert (await user.get("/whotopay"))[0] == 503
        assert (await user.upload(b""))[0] == 503


async def test_what_a_real_handler_credits_is_paid(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path / "paymaker") as user:
        # Stopping, the handler uploads its pay log.
        async with loopback(tmp_path / "handler") as pool:
            pool.master.config = replace(pool.master.config, paymaker_url=user.url)
            await pool.master.told()
            await pool.post(UNSIGNED, *UNSIGNED.announcements, x_pc_payto=ALICE)
        workdir = pool.settings.workdir
        await node.asked("getblockheader")
        async with asyncio.timeout(30):
            while ALICE not in (await user.who_to_pay())["result"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        statistics = user.paymaker.statistics
    assert (statistics.announcement_posts, statistics.refused) == (1, 0)
    assert list((workdir / "paylogs").iterdir()) == []
