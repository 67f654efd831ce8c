"""`packetcrypt check ann`: verdicts on files, in both forms, and the exit status."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ended
from handler_announcements import UNSIGNED
from vector_files import load_vectors

from packetcrypt.cli.check import EXIT_NOT_ALL_OK

Cli = Callable[..., Ended]

GOOD = b"".join(UNSIGNED.announcements)
WORK_HASHES = [known["work_hash"] for known in load_vectors("ann_jobs")["jobs"][0]["anns"]]
PARENT = UNSIGNED.parent_hash.hex()


@pytest.fixture(params=["cpu", "numpy"])
def device(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "anns.bin"
    path.write_bytes(content)
    return path


def test_good_announcements(cli: Cli, tmp_path: Path, device: str) -> None:
    file = _file(tmp_path, GOOD)
    ended = cli("check", "ann", file, "--parent-hash", PARENT, "--json", "--device", device)
    assert ended.status == 0
    assert ended.out.splitlines() == [
        f'{{"index":{index},"result":"OK","work_hash":"{work_hash}"}}'
        for index, work_hash in enumerate(WORK_HASHES)
    ]


def test_a_bad_one_among_good_ones(cli: Cli, tmp_path: Path) -> None:
    broken = bytearray(GOOD)
    broken[1024 + 600] ^= 1
    broken[2048] = 9
    file = _file(tmp_path, broken)
    ended = cli("check", "ann", file, "--parent-hash", PARENT, "--json", "--device", "cpu")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.status == EXIT_NOT_ALL_OK == 1
    assert [line["index"] for line in lines] == [0, 1, 2]
    assert [line["result"] for line in lines][::2] == ["OK", "BAD_VERSION"]
    assert lines[1]["result"] != "OK"
    assert lines[2]["work_hash"] is None


def test_for_reading(cli: Cli, tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD[:1024] + bytes(1024))
    ended = cli("check", "ann", file, "--parent-hash", PARENT, "--device", "cpu")
    assert ended.status == 1
    assert ended.out == f"0 OK {WORK_HASHES[0]}\n1 BAD_VERSION -\n"
    assert ended.err.endswith("1 of 2 announcements are OK\n")


def test_of_another_block_none_is_ok(cli: Cli, tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD)
    ended = cli("check", "ann", file, "--parent-hash", "00" * 32, "--json", "--device", "cpu")
    assert ended.status == 1
    assert '"OK"' not in ended.out


@pytest.mark.parametrize("size", [1, 1023, 1025])
def test_runts_are_unusable(cli: Cli, tmp_path: Path, size: int) -> None:
    file = _file(tmp_path, GOOD[:size])
    ended = cli("check", "ann", file, "--parent-hash", PARENT, "--device", "cpu")
    assert (ended.status, ended.out) == (2, "")
    assert f"{file} has {size} bytes, which is no multiple of 1024" in ended.err


def test_an_empty_file_has_no_bad_ones(cli: Cli, tmp_path: Path) -> None:
    file = _file(tmp_path, b"")
    ended = cli("check", "ann", file, "--parent-hash", PARENT, "--json", "--device", "cpu")
    assert (ended.status, ended.out) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.bin", "--parent-hash", PARENT), "does not exist"),
        ((".", "--parent-hash", PARENT), "is a directory"),
        (("README.md",), "Missing option '--parent-hash'"),
        (("README.md", "--parent-hash", "12"), "give 32 bytes"),
    ],
)
def test_unusable_input(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    ended = cli("check", "ann", *arguments)
    assert ended.status == 2
    assert message in ended.err
