"""How exactly one job is mined, from its first to its last soft nonce."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.search_pipeline import SearchPipeline, SearchRange
from packetcrypt.engine.work import check_work_bits
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError, PacketCryptError, ProgramError


class JobCancelled(PacketCryptError):
    """A job that was given up because its caller asked for it."""


def mine_job(
    kernels: AnnouncementKernels,
    job: AnnouncementJob,
    first: int = 0,
    last: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> npt.NDArray[np.uint8]:
    """All announcements of a job with soft nonces from `first` to `last`, both included.

    last      : the job's `soft_nonce_max` if None
    progress  : called with (nonces searched, nonces in all) as launches finish
    cancelled : polled every few milliseconds; when true the job is given up

    Returns (n, 1024) uint8, soft nonces ascending. Raises `ConfigError` for an impossible job or
    range, `ProgramError` if a random program of the job is invalid (the job has no announcements),
    `JobCancelled`, and `DeviceError`. May be interrupted by KeyboardInterrupt; close the kernels
    then.
    """
    wanted = checked_range(job, first, last)
    total = wanted.last + 1 - wanted.first
    pieces = [np.empty((0, ANNOUNCEMENT_SIZE), np.uint8)]
    done = 0
    pipeline = SearchPipeline(kernels, iter([wanted]), stopped=cancelled, skipped=_refuse)
    for searched in pipeline.run():
        if searched is None:
            continue
        pieces.append(searched.found.announcements)
        done += searched.nonces
        if progress is not None:
            progress(done, total)
    if done < total:
        raise JobCancelled(f"the job was given up after {done} of {total} soft nonces")
    return np.concatenate(pieces)


def checked_range(job: AnnouncementJob, first: int = 0, last: int | None = None) -> SearchRange:
    """What `mine_job` searches; raises the `ConfigError` that it would, before any device opens."""
    check_work_bits(job.header.work_bits)
    if last is None:
        last = job.soft_nonce_max
    if not 0 <= first <= last <= job.soft_nonce_max:
        raise ConfigError(
            f"soft nonces {first} to {last} are no range of this job: with work bits "
            f"{job.header.work_bits:#010x} they go from 0 to {job.soft_nonce_max}, both included"
        )
    return SearchRange(job, first, last)


def _refuse(job: AnnouncementJob, error: ProgramError) -> None:
    raise error
