"""Which jobs have known results, and what are they.

`known_answers.json` holds ranges of jobs that the original implementation mined
(tests/vectors/ann_jobs.json), with the soft nonces found there and the H32 of all their
announcements joined. For the workload of `packetcrypt bench ann` it holds the H32 alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob


@dataclass(frozen=True)
class KnownJob:
    """A job whose results in the soft nonces `first` to `last` (included) are known.

    soft_nonces        : those of its announcements, ascending
    announcements_hash : H32 of the announcements joined in that order, 32 bytes
    """

    job: AnnouncementJob
    first: int
    last: int
    soft_nonces: tuple[int, ...]
    announcements_hash: bytes


@cache
def known_jobs() -> tuple[KnownJob, ...]:
    """All known jobs, the cheapest first."""
    return tuple(_decode(entry) for entry in _file()["jobs"])


def benchmark_answer(work_bits: int) -> bytes | None:
    """H32 of the announcements that the benchmark's workload begins with (engine/steady_run.py).

    None if they are not known for these work bits.
    """
    for entry in _file()["benchmark"]:
        if int(entry["work_bits"], 16) == work_bits:
            return bytes.fromhex(entry["announcements_blake2b_256"])
    return None


@cache
def _file() -> Any:
    text = (files("packetcrypt.engine") / "known_answers.json").read_text(encoding="utf-8")
    return json.loads(text)


def _decode(entry: Mapping[str, Any]) -> KnownJob:
    header = AnnouncementHeader(
        hard_nonce=entry["hard_nonce"],
        work_bits=int(entry["work_bits"], 16),
        parent_height=entry["parent_height"],
        signing_key=bytes.fromhex(entry["signing_key"]),
    )
    return KnownJob(
        job=AnnouncementJob(header, bytes.fromhex(entry["parent_hash"])),
        first=entry["first"],
        last=entry["last"],
        soft_nonces=tuple(entry["soft_nonces"]),
        announcements_hash=bytes.fromhex(entry["announcements_blake2b_256"]),
    )
