"""How much a device is asked to do for a job: counters that noise cannot move, unlike times."""

from collections.abc import Generator

import numpy as np
import pyopencl as cl
import pytest

from packetcrypt.kernels.interface import PreparedJob
from packetcrypt.kernels.opencl.backend import OpenCLKernels
from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.device_use import DeviceUse
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob

MIB = 1 << 20
PARENT = bytes(range(32))


def job(hard_nonce: int, work_bits: int = 0x2001FFFF) -> AnnouncementJob:
    header = AnnouncementHeader(hard_nonce=hard_nonce, work_bits=work_bits, parent_height=1)
    return AnnouncementJob(header, PARENT)


def prepared(kernels: OpenCLKernels, job: AnnouncementJob, slot: int) -> PreparedJob:
    steps = kernels.prepare(job, slot)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def kernels() -> Generator[OpenCLKernels, None, None]:
    """One core, so that counts are the same everywhere; its kernels have run."""
    device = cl.get_platforms()[0].get_devices()[0]
    if device.max_compute_units > 1:
        counts = [cl.device_partition_property.BY_COUNTS, 1]
        device = device.create_sub_devices(counts)[0]  # type: ignore[arg-type]
    kernels = OpenCLKernels(device, profile=True)
    kernels.search(prepared(kernels, job(0), 0), 0, 1).result()
    yield kernels
    kernels.close()


@pytest.fixture
def use(kernels: OpenCLKernels) -> DeviceUse:
    """The counters, from zero on."""
    kernels.stage_seconds()
    kernels.use.launches = kernels.use.copied_bytes = 0
    return kernels.use


def test_preparing_a_job(kernels: OpenCLKernels, use: DeviceUse) -> None:
    prepared(kernels, job(1), 1)

    # It was 56: two tables in 8 slices of three or two launches, the tree in 8, two programs of 4.
    assert use.launches <= 64
    # It was 24912: of every item whether its program ran too long, and a little to the device.
    assert use.copied_bytes <= 32768


def test_searching(kernels: OpenCLKernels, use: DeviceUse) -> None:
    first_job = prepared(kernels, job(0), 0)
    use.launches = use.copied_bytes = 0

    kernels.search(first_job, 0, kernels.max_launch).result()

    # One kernel searches and one finishes.
    assert use.launches <= 2
    # The first 256 announcements with their keys, and how many there are, whatever is found.
    assert use.copied_bytes <= 256 * (1024 + 8) + 8


def test_many_finds_are_copied_once_more(kernels: OpenCLKernels, use: DeviceUse) -> None:
    easy = prepared(kernels, job(0, work_bits=0x207FFFFF), 0)
    use.copied_bytes = 0

    found = kernels.search(easy, 0, 1024).result()

    assert use.copied_bytes == (256 + len(found.keys)) * (1024 + 8) + 8


def test_buffers_of_one_core(kernels: OpenCLKernels) -> None:
    """Everything that mining and checking need at the same time."""
    easy = prepared(kernels, job(0, work_bits=0x207FFFFF), 0)
    prepared(kernels, job(1), 1)
    announcements = kernels.search(easy, 0, 1024).result().announcements
    batch = np.resize(announcements, (2048, 1024))

    kernels.check(batch, np.tile(np.frombuffer(PARENT, np.uint8), (2048, 1)))

    assert kernels.use.peak_bytes < 64 * MIB + 24 * MIB
    assert kernels.use.held_bytes <= kernels.use.peak_bytes


def test_buffers_of_all_cores() -> None:
    device = cl.get_platforms()[0].get_devices()[0]
    kernels = OpenCLKernels(device)
    for slot in range(kernels.SLOTS):
        prepared(kernels, job(slot), slot)
    kernels.close()

    assert kernels.use.peak_bytes < 64 * MIB + 24 * MIB * device.max_compute_units


def test_slots_take_the_memory_of_the_jobs_that_are_prepared_in_them() -> None:
    kernels = OpenCLKernels(cl.get_platforms()[0].get_devices()[0], lanes=1, jobs=8)
    before = kernels.use.held_bytes
    assert before < 32 * MIB

    steps = kernels.prepare_many([job(number) for number in range(8)], 1)
    next(steps)

    assert 7 * 9 * MIB <= kernels.use.held_bytes - before < 8 * 9 * MIB
    steps.close()
    kernels.close()


def test_stages_are_told_apart(kernels: OpenCLKernels, use: DeviceUse) -> None:
    first_job = prepared(kernels, job(0), 0)
    tables = kernels.stage_seconds()
    kernels.search(first_job, 0, 384).result()
    search = kernels.stage_seconds()

    assert tables is not None
    assert search is not None
    assert (tables.tables > 0, tables.search, tables.finishing) == (True, 0, 0)
    assert (search.tables, search.search > 0, search.finishing > 0) == (0, True, True)


def test_without_profiling_there_are_no_stages() -> None:
    kernels = OpenCLKernels(cl.get_platforms()[0].get_devices()[0])
    assert kernels.stage_seconds() is None
    kernels.close()


def test_buffers_count_while_they_exist(context: DeviceContext) -> None:
    before = context.use.held_bytes

    buffer = allocate(context, 1000)
    other = upload(context, np.zeros(500, np.uint8))

    assert context.use.held_bytes == before + 1500
    del buffer, other
    assert context.use.held_bytes == before
    assert context.use.peak_bytes >= before + 1500


def test_copies_count_both_ways(context: DeviceContext) -> None:
    before = context.use.copied_bytes

    buffer = upload(context, np.arange(100, dtype=np.uint32))
    back = np.empty(50, np.uint32)
    download(context, buffer, back, offset=200)

    assert context.use.copied_bytes == before + 400 + 200
    assert back.tolist() == list(range(50, 100))
