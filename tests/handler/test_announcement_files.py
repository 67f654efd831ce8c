"""What block miners are offered, and what of it survives."""

from pathlib import Path

import numpy as np
import pytest
from handler_announcements import EASIEST, KNOWN_JOBS, UNSIGNED
from handler_setup import Loopback, handler_settings, loopback

from packetcrypt.handler.announcement_files import AnnouncementFiles, FileListing
from packetcrypt.protocol.announcement import dedup_key

PASSWORD = "let me mine"
HASH_A, HASH_B = bytes([1]) * 32, bytes([2]) * 32


def _announcement(number: int) -> bytes:
    return number.to_bytes(1024, "little")


@pytest.fixture
def files(tmp_path: Path) -> AnnouncementFiles:
    return _open(tmp_path)


def _open(folder: Path, files_to_keep: int = 3) -> AnnouncementFiles:
    settings = handler_settings(
        folder, "http://pool.example", files_to_keep=files_to_keep, file_announcements=2
    )
    return AnnouncementFiles(folder, settings)


class TestOverHttp:
    async def test_index_and_files(self, tmp_path: Path) -> None:
        async with loopback(tmp_path, file_announcements=1) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)
            await pool.post(EASIEST, *EASIEST.announcements)

            index = await pool.index()
            status, content = await pool.get(f"/anns/{index['files'][1]}")

        assert index["highestAnnFile"] == 2
        assert index["files"] == ["anns_1000000_0_1.bin", "anns_1000002_0_2.bin"]
        assert (status, content) == (200, b"".join(EASIEST.announcements))

    async def test_files_may_be_cached_for_ever_and_the_index_not(self, tmp_path: Path) -> None:
        async with loopback(tmp_path, file_announcements=1) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)
            async with pool.session.get(f"{pool.url}/anns/anns_1000000_0_1.bin") as file:
                assert file.headers["Cache-Control"] == "max-age=31536000, immutable"
                assert file.content_type == "application/octet-stream"
            async with pool.session.get(f"{pool.url}/anns/index.json") as index:
                assert index.headers["Cache-Control"] == "no-cache"

    async def test_before_the_first_file(self, pool: Loopback) -> None:
        assert await pool.index() == {"highestAnnFile": 0, "files": []}

    @pytest.mark.parametrize(
        "name",
        [
            "anns_1_0_1.bin",
            "open_1000000_0.part",
            "record.json",
            "..%2flock",
            "%2e%2e%2flock",
            "%00",
            "",
        ],
    )
    async def test_nothing_else_can_be_fetched(self, pool: Loopback, name: str) -> None:
        await pool.post(UNSIGNED, *UNSIGNED.announcements)

        status, _ = await pool.get(f"/anns/{name}")

        assert status == 404

    async def test_only_the_newest_are_offered_but_all_recognise_duplicates(
        self, tmp_path: Path
    ) -> None:
        changes = {"file_announcements": 1, "files_to_keep": 2}
        async with loopback(tmp_path, **changes) as pool:
            for job in KNOWN_JOBS:
                await pool.post(job, *job.announcements)
            index = await pool.index()
            status, _ = await pool.get("/anns/anns_1000000_0_1.bin")

        async with loopback(tmp_path, **changes) as pool:
            reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

        assert index["files"] == ["anns_1000002_0_3.bin", "anns_1000003_0_4.bin"]
        assert status == 404
        assert reply.counts == (0, 3, 0, 0)

    async def test_old_announcements_are_published_after_a_while(self, tmp_path: Path) -> None:
        async with loopback(tmp_path, file_seconds=0.05) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)
            while not (await pool.index())["files"]:
                await pool.master.told()

            assert (await pool.index())["files"] == ["anns_1000000_0_1.bin"]


class TestPassword:
    @pytest.mark.parametrize("path", ["/anns/index.json", "/anns/anns_1000000_0_1.bin"])
    @pytest.mark.parametrize(
        ("password", "status"), [(None, 401), ("", 401), (PASSWORD + "x", 401), (PASSWORD, 200)]
    )
    async def test_both_need_it(
        self, tmp_path: Path, path: str, password: str | None, status: int
    ) -> None:
        changes = {"file_announcements": 1, "block_miner_passwd": PASSWORD}
        async with loopback(tmp_path, **changes) as pool:
            await pool.post(UNSIGNED, *UNSIGNED.announcements)

            assert (await pool.get(path, password))[0] == status

    @pytest.mark.parametrize("value", ["Basic", "Basic !", "Bearer x", "é", "Basic eDo="])
    async def test_nonsense_is_refused(self, tmp_path: Path, value: str) -> None:
        async with loopback(tmp_path, block_miner_passwd=PASSWORD) as pool:
            url = f"{pool.url}/anns/index.json"
            async with pool.session.get(url, headers={"Authorization": value}) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
                assert (await response.json())["error"] == ["unauthorized"]


class TestOnTheDisk:
    def test_full_files_are_published(self, files: AnnouncementFiles, tmp_path: Path) -> None:
        files.append(7, 0, _announcement(1))
        files.publish_full()
        before = files.listing
        files.append(7, 0, _announcement(2))
        files.publish_full()

        assert before == FileListing(0, ())
        assert files.listing == FileListing(1, ("anns_7_0_1.bin",))
        assert (tmp_path / "anns_7_0_1.bin").read_bytes() == _announcement(1) + _announcement(2)

    def test_each_height_and_handler_number_has_its_own(self, files: AnnouncementFiles) -> None:
        for height, handler_number in ((7, 0), (8, 0), (8, 1)):
            files.append(height, handler_number, _announcement(height))
        files.publish()

        assert files.listing.names == ("anns_7_0_1.bin", "anns_8_0_2.bin", "anns_8_1_3.bin")

    def test_what_is_taken_back_is_gone(self, files: AnnouncementFiles, tmp_path: Path) -> None:
        files.append(7, 0, _announcement(1))
        files.append(7, 0, _announcement(2))
        files.take_back(7, 0, 1024)
        files.publish()

        assert (tmp_path / "anns_7_0_1.bin").read_bytes() == _announcement(1)

    def test_empty_files_are_not_published(self, files: AnnouncementFiles, tmp_path: Path) -> None:
        files.append(7, 0, _announcement(1))
        files.take_back(7, 0, 1024)
        files.publish()

        assert list(tmp_path.iterdir()) == []

    def test_files_of_old_heights_go_when_they_are_not_offered(
        self, files: AnnouncementFiles, tmp_path: Path
    ) -> None:
        for height in range(1, 6):
            files.append(height, 0, _announcement(height))
        files.publish()
        files.follow({5: HASH_A}, kept_from=2)

        names = {path.name for path in tmp_path.glob("anns_*")}
        assert names == {f"anns_{height}_0_{height}.bin" for height in range(2, 6)}
        assert files.listing.names == tuple(f"anns_{n}_0_{n}.bin" for n in (3, 4, 5))

    def test_recovery_finds_keys_of_published_and_open_files(
        self, files: AnnouncementFiles, tmp_path: Path
    ) -> None:
        files.append(7, 0, _announcement(1))
        files.publish()
        files.append(7, 0, _announcement(2))
        files.follow({7: HASH_A}, kept_from=0)
        files.close()

        tables, block_hashes = _open(tmp_path).recover()

        assert len(tables[7]) == 2
        assert block_hashes == {7: HASH_A}

    def test_a_torn_announcement_is_cut_off(self, files: AnnouncementFiles, tmp_path: Path) -> None:
        files.append(7, 0, _announcement(1))
        files.close()
        with (tmp_path / "open_7_0.part").open("ab") as torn:
            torn.write(_announcement(2)[:1000])

        recovered = _open(tmp_path)
        tables, _ = recovered.recover()
        recovered.append(7, 0, _announcement(3))
        recovered.publish()

        assert len(tables[7]) == 1
        assert (tmp_path / "anns_7_0_1.bin").read_bytes() == _announcement(1) + _announcement(3)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"nextFile": "x"}'])
    def test_a_spoilt_record_is_told_and_ignored(
        self,
        files: AnnouncementFiles,
        tmp_path: Path,
        content: bytes,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (tmp_path / "record.json").write_bytes(content)

        assert files.recover() == ({}, {})
        assert "record.json is ignored" in caplog.text

    def test_files_of_others_are_left_alone(self, files: AnnouncementFiles, tmp_path: Path) -> None:
        (tmp_path / "README").write_text("hello")

        assert files.recover() == ({}, {})

    def test_only_files_of_a_replaced_block_are_withdrawn(
        self, files: AnnouncementFiles, tmp_path: Path
    ) -> None:
        files.follow({7: HASH_A, 8: HASH_A}, kept_from=0)
        for height in (7, 8):
            files.append(height, 0, _announcement(height))
        files.publish()
        files.append(8, 0, _announcement(9))
        files.follow({7: HASH_A, 8: HASH_B}, kept_from=0)

        assert files.listing == FileListing(2, ("anns_7_0_1.bin",))
        assert {path.name for path in tmp_path.iterdir()} == {"anns_7_0_1.bin", "record.json"}

    def test_the_keys_are_the_announcements(self, files: AnnouncementFiles, tmp_path: Path) -> None:
        files.append(7, 0, _announcement(1))
        files.close()

        table = _open(tmp_path).recover()[0][7]
        assert table.claim(np.array([dedup_key(_announcement(1))], np.uint64)).tolist() == [False]
