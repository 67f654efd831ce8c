"""`packetcrypt job`: the known jobs, byte by byte, and what is refused."""

import hashlib
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, Ended, interrupt_command, job_arguments
from vector_files import load_vectors

JOBS: list[dict[str, Any]] = load_vectors("ann_jobs")["jobs"]
EASIEST = JOBS[2]
"""Its 1008 nonces are searched in no time."""

Cli = Callable[..., Ended]


def _id(job: dict[str, Any]) -> str:
    return f"{job['work_bits']}-{job['hard_nonce']}"


def _check(job: dict[str, Any], written: bytes) -> None:
    rows = [written[start : start + 1024] for start in range(0, len(written), 1024)]
    soft_nonces = [int.from_bytes(row[1:4], "little") for row in rows]
    assert len(rows) == job["count"]
    assert soft_nonces == sorted(soft_nonces)
    assert rows[: len(job["anns"])] == [bytes.fromhex(known["bytes"]) for known in job["anns"]]
    assert hashlib.blake2b(written, digest_size=32).hexdigest() == job["anns_blake2b_256"]


@pytest.mark.parametrize("job", JOBS, ids=_id)
def test_known_jobs_on_opencl(cli: Cli, tmp_path: Path, job: dict[str, Any]) -> None:
    file = tmp_path / "job.bin"
    ended = cli("job", *job_arguments(job), "-o", file, "--device", "cpu")
    assert (ended.status, ended.out) == (0, "")
    assert ended.err.endswith(f"{job['count']} announcements in {file}\n")
    _check(job, file.read_bytes())


@pytest.mark.parametrize("job", [EASIEST, JOBS[1]], ids=_id)
def test_known_jobs_on_numpy(cli: Cli, tmp_path: Path, job: dict[str, Any]) -> None:
    file = tmp_path / "job.bin"
    assert cli("job", *job_arguments(job), "-o", file, "--device", "numpy").status == 0
    _check(job, file.read_bytes())


def test_the_ends_of_a_range_belong_to_it(cli: Cli, tmp_path: Path) -> None:
    first, middle, last = (known["soft_nonce"] for known in EASIEST["anns"])
    file = tmp_path / "job.bin"
    arguments = [*job_arguments(EASIEST)[:-2], "--device", "cpu", "-o", file]
    assert cli("job", *arguments, "--first", middle, "--last", last).status == 0
    known = [bytes.fromhex(known["bytes"]) for known in EASIEST["anns"][1:]]
    written = file.read_bytes()
    assert (written[:1024], written[-1024:]) == (known[0], known[-1])
    assert first < middle


def test_an_existing_file_is_replaced(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "job.bin"
    file.write_bytes(b"old")
    assert cli("job", *job_arguments(EASIEST), "-o", file, "--device", "cpu").status == 0
    _check(EASIEST, file.read_bytes())
    assert [path.name for path in tmp_path.iterdir()] == ["job.bin"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--parent-hash", "zz" * 32, "is not hexadecimal; give 64 digits"),
        ("--parent-hash", "00" * 31, "has 31 bytes; give 32 bytes (64 hexadecimal digits)"),
        ("--signing-key", "00" * 33, "has 33 bytes; give 32 bytes"),
        ("--work-bits", "easy", "is not a hexadecimal compact target"),
        ("--work-bits", "0", "are no target that an announcement can meet"),
        ("--work-bits", "ffffffff", "are no target that an announcement can meet"),
        ("--hard-nonce", "4294967296", "not in the range"),
        ("--parent-height", "-1", "not in the range"),
        ("--first", "1009", "soft nonces 1009 to 1007 are no range"),
        ("--last", "1024", "from 0 to 1023, both included"),
        ("--device", "toaster", "toaster"),
        ("-t", "0", "not in the range"),
    ],
)
def test_what_cannot_be_mined(
    cli: Cli, tmp_path: Path, option: str, value: str, message: str
) -> None:
    arguments = ["job", *job_arguments(EASIEST), "-o", tmp_path / "job.bin", "--device", "cpu"]
    ended = cli(*arguments, option, value)
    assert ended.status == 2
    assert message in " ".join(ended.err.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["missing/job.bin", "file/job.bin"])
def test_a_file_that_cannot_be_written(cli: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    ended = cli("job", *job_arguments(EASIEST), "-o", tmp_path / name, "--device", "cpu")
    assert ended.status == 2
    assert f"cannot write {tmp_path / name}" in ended.err
    assert "choose another file with -o" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_leaves_no_file(tmp_path: Path, number: signal.Signals) -> None:
    # An announcement in 2^32 hashes: a job of minutes. The draft of the file is its first sign.
    arguments = [*job_arguments(EASIEST)[:-2], "--work-bits", "1d00ffff", "--device", "cpu"]
    with subprocess.Popen(
        [COMMAND, "job", *arguments, "-o", tmp_path / "job.bin"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not list(tmp_path.iterdir()):
            assert process.poll() is None
        ended = interrupt_command(process, number)
    assert ended.status == 130
    assert ended.err.endswith("interrupted\n")
    assert not list(tmp_path.iterdir())
