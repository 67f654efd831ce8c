"""Real announcements of four jobs on four consecutive blocks (tests/vectors/ann_jobs.json)."""

from dataclasses import dataclass
from typing import Any

from vector_files import load_vectors


@dataclass(frozen=True)
class KnownJob:
    """A job of the vectors: valid announcements of 1024 bytes; hash in internal byte order."""

    parent_height: int
    parent_hash: bytes
    signing_key: bytes | None
    work_bits: int
    announcements: tuple[bytes, ...]

    @property
    def work_number(self) -> int:
        """What x-pc-worknum says about it."""
        return self.parent_height + 1


def _known_job(job: dict[str, Any]) -> KnownJob:
    key = bytes.fromhex(job["signing_key"])
    return KnownJob(
        parent_height=job["parent_block_height"],
        parent_hash=bytes.fromhex(job["parent_block_hash"]),
        signing_key=key if any(key) else None,
        work_bits=int(job["work_bits"], 16),
        announcements=tuple(bytes.fromhex(a["bytes"]) for a in job["anns"]),
    )


UNSIGNED, SIGNED, EASIEST, HARDEST = (_known_job(job) for job in load_vectors("ann_jobs")["jobs"])
"""parents 1000000 to 1000003; three announcements each"""

KNOWN_JOBS = (UNSIGNED, SIGNED, EASIEST, HARDEST)
