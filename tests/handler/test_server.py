"""What a miner is answered over HTTP: spec 2 "Announcement miner → Ann Handler", case by case."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from handler_announcements import EASIEST, HARDEST, KNOWN_JOBS, SIGNED, UNSIGNED, KnownJob
from handler_plain_checker import PlainChecker
from handler_setup import PAY_TO, Loopback, loopback

from packetcrypt.handler.submission import BODY_LIMIT
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.pool_messages import (
    AnnouncementPostHeaders,
    AnnouncementPostReply,
    post_event_id,
)
from packetcrypt.protocol.validation import check_announcement

FIELDS = {
    "soft nonce": 1,
    "hard nonce": 4,
    "content type": 16,
    "content length": 20,
    "first sibling": 88,
    "last sibling": 919,
    "root": 920,
    "prefix": 984,
    "last byte": 1023,
}
STRUCTURAL_FIELDS = {
    "version": 0,
    "work bits": 10,
    "parent height": 12,
    "content hash": 24,
    "signing key": 56,
}


def corrupted(announcement: bytes, offset: int) -> bytes:
    flipped = bytearray(announcement)
    flipped[offset] ^= 1
    return bytes(flipped)


@pytest.mark.parametrize("job", KNOWN_JOBS, ids=lambda job: str(job.parent_height))
async def test_good_announcements_are_accepted(pool: Loopback, job: KnownJob) -> None:
    reply = await pool.post(job, *job.announcements)

    assert reply.status == 200
    assert reply.counts == (3, 0, 0, 0)
    assert reply.body["error"] == reply.body["warn"] == []


async def test_the_result_has_every_field_of_the_protocol(pool: Loopback) -> None:
    reply = await pool.post(SIGNED, *SIGNED.announcements)

    result = reply.body["result"]
    assert result.pop("time") > 1_700_000_000_000
    assert result == {
        "type": "anns",
        "accepted": 3,
        "dup": 0,
        "inval": 0,
        "badHash": 0,
        "runt": 0,
        "internalErr": 0,
        "payTo": PAY_TO,
        "unsigned": 0,
        "totalLen": 0,
        "target": SIGNED.work_bits,
        "eventId": post_event_id(b"".join(SIGNED.announcements)),
    }


async def test_our_own_miner_understands_the_reply(pool: Loopback) -> None:
    reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    decoded = AnnouncementPostReply.decode(json.dumps(reply.body))
    assert decoded.result is not None
    assert decoded.result.accepted == 3


async def test_announcements_without_a_signature_key_are_counted_as_unsigned(
    pool: Loopback,
) -> None:
    reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert reply.body["result"]["unsigned"] == 3


async def test_an_empty_post_is_accepted_and_pays_nothing(pool: Loopback) -> None:
    reply = await pool.post(UNSIGNED)

    assert reply.status == 200
    assert reply.counts == (0, 0, 0, 0)
    assert reply.body["result"]["target"] == 0


async def test_a_body_with_content_length_is_taken_as_well(pool: Loopback) -> None:
    headers = AnnouncementPostHeaders(PAY_TO, UNSIGNED.work_number).encode()
    body = b"".join(UNSIGNED.announcements)

    async with pool.session.post(f"{pool.url}/submit", data=body, headers=headers) as response:
        reply = await response.json()

    assert reply["result"]["accepted"] == 3


@pytest.mark.parametrize("prefix", ["", "/ah0"])
async def test_the_path_of_the_public_url_may_come_along(pool: Loopback, prefix: str) -> None:
    headers = AnnouncementPostHeaders(PAY_TO, UNSIGNED.work_number).encode()
    url = f"{pool.url}{prefix}/submit"

    async with pool.session.post(url, data=UNSIGNED.announcements[0], headers=headers) as response:
        assert response.status == 200


class TestDuplicates:
    async def test_across_posts(self, pool: Loopback) -> None:
        await pool.post(UNSIGNED, *UNSIGNED.announcements[:2])

        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert reply.status == 200
        assert reply.counts == (1, 2, 0, 0)

    async def test_within_a_post(self, pool: Loopback) -> None:
        one, two, _ = UNSIGNED.announcements

        reply = await pool.post(UNSIGNED, one, one, two, one)

        assert reply.counts == (2, 2, 0, 0)

    async def test_copies_of_a_bad_announcement_are_bad_not_duplicate(self, pool: Loopback) -> None:
        bad = corrupted(UNSIGNED.announcements[0], FIELDS["root"])

        reply = await pool.post(UNSIGNED, bad, bad)

        assert reply.counts == (0, 0, 2, 0)

    async def test_a_bad_announcement_is_bad_every_time(self, pool: Loopback) -> None:
        bad = corrupted(UNSIGNED.announcements[0], FIELDS["root"])
        await pool.post(UNSIGNED, bad)

        reply = await pool.post(UNSIGNED, bad)

        assert reply.counts == (0, 0, 1, 0)

    async def test_of_two_posts_at_the_same_time_one_is_credited(self, pool: Loopback) -> None:
        replies = await asyncio.gather(
            *(pool.post(UNSIGNED, *UNSIGNED.announcements) for _ in range(5))
        )

        assert sum(reply.counts[0] for reply in replies) == 3
        assert sum(reply.counts[1] for reply in replies) == 12


class TestCorruptedAnnouncements:
    @pytest.mark.parametrize("offset", FIELDS.values(), ids=FIELDS.keys())
    async def test_found_by_hashing(self, pool: Loopback, offset: int) -> None:
        one, two, three = UNSIGNED.announcements

        reply = await pool.post(UNSIGNED, one, corrupted(two, offset), three)

        assert reply.status == 200
        assert reply.counts == (2, 0, 1, 0)

    @pytest.mark.parametrize("offset", STRUCTURAL_FIELDS.values(), ids=STRUCTURAL_FIELDS.keys())
    async def test_found_before_hashing(self, pool: Loopback, offset: int) -> None:
        one, two, three = UNSIGNED.announcements

        reply = await pool.post(UNSIGNED, one, corrupted(two, offset), three)

        assert reply.counts == (2, 0, 1, 0)

    async def test_several_at_once_cost_the_good_ones_nothing(self, pool: Loopback) -> None:
        bad = [corrupted(UNSIGNED.announcements[0], offset) for offset in range(24, 1024, 100)]

        reply = await pool.post(UNSIGNED, *bad[:5], *UNSIGNED.announcements, *bad[5:])

        assert reply.counts == (3, 0, len(bad), 0)

    async def test_announcements_of_another_parent_are_invalid(self, pool: Loopback) -> None:
        reply = await pool.post(UNSIGNED, *EASIEST.announcements, *UNSIGNED.announcements)

        assert reply.counts == (3, 0, 3, 0)


class TestSigningKey:
    async def test_another_key_than_the_pools_is_invalid(self, pool: Loopback) -> None:
        await self._replace_key(pool, bytes(range(32)))

        reply = await pool.post(SIGNED, *SIGNED.announcements)

        assert reply.counts == (0, 0, 3, 0)

    async def test_any_key_is_invalid_if_the_pool_has_none(self, pool: Loopback) -> None:
        await self._replace_key(pool, None)

        reply = await pool.post(SIGNED, *SIGNED.announcements)

        assert reply.counts == (0, 0, 3, 0)

    async def test_none_is_accepted_although_the_pool_has_one(self, pool: Loopback) -> None:
        pool.master.blocks[HARDEST.parent_hash] = replace(
            pool.master.blocks[HARDEST.parent_hash], signing_key=bytes(range(32))
        )
        await self._forget_blocks(pool)

        reply = await pool.post(HARDEST, *HARDEST.announcements)

        assert reply.counts == (3, 0, 0, 0)
        assert reply.body["result"]["unsigned"] == 3

    async def _replace_key(self, pool: Loopback, key: bytes | None) -> None:
        block = pool.master.blocks[SIGNED.parent_hash]
        pool.master.blocks[SIGNED.parent_hash] = replace(block, signing_key=key)
        await self._forget_blocks(pool)

    async def _forget_blocks(self, pool: Loopback) -> None:
        # A handler that is not listed forgets the blocks that it knew.
        config = pool.master.config
        pool.master.config = replace(config, submit_ann_urls=())
        await pool.master.told()
        pool.master.config = config
        await pool.master.told()


class TestTarget:
    async def test_announcements_easier_than_the_pool_asks_are_invalid(
        self, pool: Loopback
    ) -> None:
        pool.master.config = replace(pool.master.config, ann_target=HARDEST.work_bits)
        await pool.master.told()

        easy = await pool.post(UNSIGNED, *UNSIGNED.announcements)
        hard = await pool.post(HARDEST, *HARDEST.announcements)

        assert easy.counts == (0, 0, 3, 0)
        assert hard.counts == (3, 0, 0, 0)
        assert hard.body["result"]["target"] == HARDEST.work_bits

    async def test_work_bits_that_the_work_does_not_meet_are_invalid(self, pool: Loopback) -> None:
        boastful = bytearray(EASIEST.announcements[0])
        boastful[8:12] = HARDEST.work_bits.to_bytes(4, "little")

        reply = await pool.post(EASIEST, bytes(boastful))

        assert reply.counts == (0, 0, 1, 0)


class TestRefusedPosts:
    @pytest.mark.parametrize("size", [1, 1023, 1025, 3071])
    async def test_a_runt(self, pool: Loopback, size: int) -> None:
        reply = await pool.post(UNSIGNED, b"".join(UNSIGNED.announcements * 2)[:size])

        assert reply.status == 400
        assert reply.body["error"] == ["size not an even multiple of 1024"]
        assert reply.body["result"] is None

    @pytest.mark.parametrize(
        ("work_number", "expected"),
        [
            # One slot for each height mod 6: 1000004 shares that of 999998, and so on.
            (1000005, "block number out of range, expect 999998 got 1000004"),
            (1000006, "block number out of range, expect 999999 got 1000005"),
            (999998, "block number out of range, expect 1000003 got 999997"),
            (0, "block number out of range, expect 1000001 got -1"),
        ],
    )
    async def test_a_height_that_is_not_tracked(
        self, pool: Loopback, work_number: int, expected: str
    ) -> None:
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements, x_pc_worknum=str(work_number))

        assert reply.status == 400
        assert reply.body["error"] == [expected]

    @pytest.mark.parametrize(
        ("pay_to", "expected"),
        [
            ("pkt1 q", "invalid payto pkt1 q"),
            ("pkt1q;drop", "invalid payto pkt1q;drop"),
            ("../../etc", "invalid payto ../../etc"),
            ("é", "invalid payto é"),
            ("", "invalid payto "),
            ("p" * 64, "payto too long"),
            ("p" * 4000, "payto too long"),
        ],
    )
    async def test_a_payto_that_is_none(self, pool: Loopback, pay_to: str, expected: str) -> None:
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements, x_pc_payto=pay_to)

        assert reply.status == 400
        assert reply.body["error"] == [expected]

    async def test_the_longest_payto_is_taken(self, pool: Loopback) -> None:
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements, x_pc_payto="p" * 63)

        assert reply.body["result"]["payTo"] == "p" * 63

    @pytest.mark.parametrize("version", ["0", "2"])
    async def test_an_announcement_version_that_is_not_offered(
        self, pool: Loopback, version: str
    ) -> None:
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements, x_pc_annver=version)

        assert reply.status == 400
        assert reply.body["error"] == [f"announcement version {version} is not offered, expect 1"]

    @pytest.mark.parametrize("header", ["x-pc-payto", "x-pc-worknum", "x-pc-sver", "x-pc-annver"])
    async def test_a_missing_header(self, pool: Loopback, header: str) -> None:
        reply = await pool.post(UNSIGNED, **{header: None})

        assert reply.status == 400
        assert reply.body["error"] == [f"header {header} is missing"]

    @pytest.mark.parametrize("header", ["x-pc-worknum", "x-pc-sver", "x-pc-annver"])
    @pytest.mark.parametrize("value", ["", "-1", "1.0", "one", "99999999999999", "١"])
    async def test_a_header_that_is_no_number(
        self, pool: Loopback, header: str, value: str
    ) -> None:
        reply = await pool.post(UNSIGNED, **{header: value})

        assert reply.status == 400
        assert header in reply.body["error"][0]

    async def test_nothing_is_lost_to_a_refusal(self, pool: Loopback) -> None:
        await pool.post(UNSIGNED, *UNSIGNED.announcements, b"x")

        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert reply.counts == (3, 0, 0, 0)


class TestBodyLimit:
    async def test_1025_announcements_are_taken(self, pool: Loopback) -> None:
        body = UNSIGNED.announcements[0] * 1025

        reply = await pool.post(UNSIGNED, body)

        assert len(body) == BODY_LIMIT
        assert reply.counts == (1, 1024, 0, 0)

    async def test_one_more_byte_is_refused_when_it_comes(self, pool: Loopback) -> None:
        reply = await pool.post(UNSIGNED, UNSIGNED.announcements[0] * 1025, b"x")

        assert reply.status == 400
        assert reply.body["error"] == [f"size above the limit of {BODY_LIMIT} bytes"]

    async def test_an_announced_length_is_refused_before_it_comes(self, pool: Loopback) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", pool.handler.port)
        writer.write(
            b"POST /submit HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n"
            b"x-pc-payto: p\r\nx-pc-sver: 1\r\nx-pc-annver: 1\r\nx-pc-worknum: 1000001\r\n\r\n"
        )

        status = await reader.readline()

        assert b" 400 " in status
        writer.close()

    async def test_an_endless_body_is_cut_off(self, pool: Loopback) -> None:
        reply = await pool.post(UNSIGNED, *(bytes(65536) for _ in range(40)))

        assert reply.body["error"] == [f"size above the limit of {BODY_LIMIT} bytes"]

    async def test_a_compressed_body_is_not_inflated(self, pool: Loopback) -> None:
        reply = await pool.post(UNSIGNED, bytes(1024), content_encoding="gzip")

        assert reply.counts == (0, 0, 1, 0)


class TestOtherHandlers:
    TWO = ("http://pool.example/ah0/submit", "http://pool.example/ah1/submit")

    async def test_the_dedup_key_decides(self, tmp_path: Path) -> None:
        mine = sum(dedup_key(one) % 2 == 1 for job in KNOWN_JOBS for one in job.announcements)

        async with loopback(tmp_path, name="ah1", handler_urls=self.TWO) as pool:
            replies = [await pool.post(job, *job.announcements) for job in KNOWN_JOBS]

        assert sum(reply.counts[0] for reply in replies) == mine
        assert sum(reply.counts[3] for reply in replies) == 12 - mine

    async def test_a_post_meant_for_another_handler_is_an_error(self, tmp_path: Path) -> None:
        others = [one for one in UNSIGNED.announcements if dedup_key(one) % 3 != 0]
        urls = (*self.TWO, "http://pool.example/ah2/submit")

        async with loopback(tmp_path, handler_urls=urls) as pool:
            reply = await pool.post(UNSIGNED, *others)

        assert reply.status == 400
        assert reply.body["error"] == ["submit elsewhere"]
        assert reply.counts == (0, 0, 0, len(others))

    async def test_with_soft_version_2_content_is_asked_for(self, pool: Loopback) -> None:
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements, x_pc_sver="2")

        assert reply.counts == (0, 0, 3, 0)

    async def test_with_soft_version_2_the_hard_nonce_decides(self, tmp_path: Path) -> None:
        async with loopback(tmp_path, name="ah1", handler_urls=self.TWO) as pool:
            even = await pool.post(EASIEST, *EASIEST.announcements, x_pc_sver="2")
            odd = await pool.post(UNSIGNED, *UNSIGNED.announcements, x_pc_sver="2")

        assert even.counts == (0, 0, 0, 3)
        assert odd.counts == (0, 0, 3, 0)


class TestNotReady:
    async def test_while_the_master_is_not_ready(self, tmp_path: Path) -> None:
        async with loopback(tmp_path) as pool:
            pool.master.config = replace(pool.master.config, submit_ann_urls=())
            await pool.master.told()

            reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert reply.status == 400
        assert reply.body["error"] == ["server not ready"]

    async def test_a_master_that_goes_away_is_remembered(self, pool: Loopback) -> None:
        pool.master.is_ready = False
        await pool.master.told()

        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert reply.counts == (3, 0, 0, 0)


class TestFailures:
    async def test_a_broken_device_is_an_internal_error_and_nothing_is_lost(
        self, pool: Loopback
    ) -> None:
        assert isinstance(pool.checker, PlainChecker)
        pool.checker.broken = True
        failed = await pool.post(UNSIGNED, *UNSIGNED.announcements)
        pool.checker.broken = False

        again = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert failed.status == 500
        assert failed.body["result"]["internalErr"] == 3
        assert failed.counts == (0, 0, 0, 0)
        assert again.counts == (3, 0, 0, 0)

    async def test_unknown_paths_are_told_so(self, pool: Loopback) -> None:
        status, body = await pool.get("/")

        assert status == 404
        assert json.loads(body)["error"] == ["not found"]

    async def test_a_get_of_submit_is_told_so(self, pool: Loopback) -> None:
        status, body = await pool.get("/submit")

        assert status == 405
        assert json.loads(body)["error"] == ["method not allowed"]


def test_the_announcements_of_these_tests_are_valid() -> None:
    verdicts = {check_announcement(job.announcements[0], job.parent_hash) for job in KNOWN_JOBS}

    assert [verdict.result.name for verdict in verdicts] == ["OK"] * 4
