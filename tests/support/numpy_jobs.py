"""The known jobs, and how tests take them through NumPy kernels."""

from typing import Any

import numpy as np
from vector_files import load_vectors

from packetcrypt.kernels.interface import AnnouncementKernels, FoundAnnouncements, PreparedJob
from packetcrypt.protocol.announcement import PREFIX_OFFSET, ROOT_OFFSET, AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob

JOBS = load_vectors("ann_jobs")["jobs"]


def job_of(case: dict[str, Any]) -> AnnouncementJob:
    """The job of a case in the vectors."""
    header = AnnouncementHeader(
        hard_nonce=case["hard_nonce"],
        work_bits=int(case["work_bits"], 16),
        parent_height=case["parent_block_height"],
        content_type=case["content_type"],
        content_length=case["content_length"],
        signing_key=bytes.fromhex(case["signing_key"]),
    )
    return AnnouncementJob(header, bytes.fromhex(case["parent_block_hash"]))


def root_of(case: dict[str, Any]) -> bytes:
    """Its Merkle root, as its announcements carry it."""
    return bytes.fromhex(case["anns"][0]["bytes"])[ROOT_OFFSET:PREFIX_OFFSET]


def prepare(kernels: AnnouncementKernels, job: AnnouncementJob, slot: int = 0) -> PreparedJob:
    """Take all steps of preparing a job."""
    steps = kernels.prepare(job, slot)
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        prepared: PreparedJob = stop.value
        return prepared


def search_all(kernels: AnnouncementKernels, prepared: PreparedJob, end: int) -> FoundAnnouncements:
    """What is found in soft nonces 0 … end − 1."""
    size = kernels.max_launch
    found = [
        kernels.search(prepared, first, min(size, end - first)).result()
        for first in range(0, end, size)
    ]
    return FoundAnnouncements(
        np.concatenate([part.announcements for part in found]),
        np.concatenate([part.keys for part in found]),
        np.concatenate([part.soft_nonces for part in found]),
    )
