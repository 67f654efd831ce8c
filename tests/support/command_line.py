"""Runs the `packetcrypt` command, in this process or in one of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "packetcrypt"
PAYMENT_ADDRESS = "pkt1qcmkxmnl6mtw7hwy2v7net8ygtfq84n60l5lpwsa3azlk3f2qkn8qk6mz9c"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, and what it wrote."""

    status: int
    out: str
    err: str


def run_command(*arguments: str | Path, seconds: float = 120.0, **environment: str) -> Ended:
    """Runs the command in a process of its own and waits for its end."""
    ended = subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def interrupt_command(process: subprocess.Popen[str], number: signal.Signals) -> Ended:
    """Sends a signal to a running command, as Ctrl-C would, and waits for its end."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return Ended(process.returncode, out, err)


def job_arguments(job: dict[str, Any]) -> Sequence[str]:
    """The options of `packetcrypt job` for a job of tests/vectors/ann_jobs.json."""
    return (
        *("--parent-hash", job["parent_block_hash"]),
        *("--parent-height", str(job["parent_block_height"])),
        *("--work-bits", job["work_bits"]),
        *("--hard-nonce", str(job["hard_nonce"])),
        *("--signing-key", job["signing_key"]),
        *("--content-type", str(job["content_type"])),
        *("--content-length", str(job["content_length"])),
        *("--last", str(job["searched_end"] - 1)),
    )
