"""The engine as embedders use it, on real devices."""

import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence

import numpy as np
import pytest

from packetcrypt.engine.announcement_engine import AnnouncementEngine
from packetcrypt.engine.batches import AnnouncementBatch
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.known_answers import known_jobs
from packetcrypt.engine.opening import open_kernels
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
)
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE, dedup_key
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError, DeviceError, ProgramError
from packetcrypt.protocol.validation import AnnouncementCheck, check_announcement

PATIENCE = 120.0
"""Seconds after which a test gives up: compiling kernels on a busy machine takes long."""

Opener = Callable[[DeviceInfo, int | None], AnnouncementKernels]


def altered(alter: Callable[[AnnouncementKernels], None]) -> Opener:
    """An opener of real kernels, of which `alter` then replaces a method."""

    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        kernels = open_kernels(device, threads)
        alter(kernels)
        return kernels

    return opener


def hard_nonces(batch: AnnouncementBatch) -> set[int]:
    return set(batch.announcements.view(ANNOUNCEMENT_DTYPE)["hard_nonce"].ravel().tolist())


def take(engine: AnnouncementEngine, jobs: int) -> list[AnnouncementBatch]:
    """Batches until they come from that many jobs."""
    batches: list[AnnouncementBatch] = []
    while len(set().union(*map(hard_nonces, batches))) < jobs:
        batch = engine.get(PATIENCE)
        assert batch is not None
        batches.append(batch)
    return batches


def take_rest(engine: AnnouncementEngine, taken: int = 0) -> list[AnnouncementBatch]:
    """Pause, and take what was found, but for `taken` announcements and those dropped."""
    engine.pause()
    wait_for_state(engine, DeviceState.IDLE)
    batches: list[AnnouncementBatch] = []
    while True:
        statistics = engine.statistics()
        if taken + sum(map(len, batches)) + statistics.dropped >= statistics.announcements:
            return batches
        batch = engine.get(PATIENCE)
        assert batch is not None
        batches.append(batch)


def wait_for_state(engine: AnnouncementEngine, state: DeviceState) -> None:
    """Wait until every device is in `state`."""
    wait_until(lambda: {device.state for device in engine.statistics().devices} == {state})


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = threading.Event()
    timer = threading.Timer(PATIENCE, deadline.set)
    timer.start()
    while not condition():
        assert not deadline.wait(0.01)
    timer.cancel()


def test_announcements_are_valid_for_their_work(easy_work: AnnouncementWork) -> None:
    with AnnouncementEngine("cpu") as engine:
        engine.start(easy_work)
        (batch, *_) = take(engine, 1)

    announcement = batch.announcements[0].tobytes()
    assert check_announcement(announcement, easy_work.parent_hash).result is AnnouncementCheck.OK
    assert batch.keys[0] == dedup_key(announcement)
    assert batch.work is easy_work
    assert batch.device == engine.devices[0].index
    assert batch.announcements.shape == (len(batch), 1024)


def test_several_devices_mine_different_jobs(pocl: DeviceInfo, easy_work: AnnouncementWork) -> None:
    jobs: dict[str, set[int]] = {}

    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        return open_kernels(pocl, threads)  # NumPy would take longer and show no more

    with AnnouncementEngine(["cpu", "numpy"], hard_nonce_start=1000, opener=opener) as engine:
        engine.start(easy_work)
        while len(jobs) < 2:
            batch = engine.get(PATIENCE)
            assert batch is not None
            jobs.setdefault(batch.device, set()).update(hard_nonces(batch))

    first, second = (jobs[device.index] for device in engine.devices)
    assert {nonce % 2 for nonce in first} == {0}
    assert {nonce % 2 for nonce in second} == {1}


def test_new_work_takes_over_and_no_hard_nonce_comes_twice(easy_work: AnnouncementWork) -> None:
    next_work = AnnouncementWork(
        parent_hash=bytes(32), parent_height=1_000_001, work_bits=easy_work.work_bits
    )
    with AnnouncementEngine("cpu") as engine:
        engine.start(easy_work)
        old = take(engine, 2)
        engine.start(next_work)
        while (batch := engine.get(PATIENCE)) is not None and batch.work is easy_work:
            old.append(batch)
        new = [batch, *take(engine, 1)]

    assert all(batch is not None and batch.work is next_work for batch in new)
    heights = new[0].announcements.view(ANNOUNCEMENT_DTYPE)["parent_height"]
    assert set(heights.ravel().tolist()) == {1_000_001}
    assert not set().union(*map(hard_nonces, old)) & set().union(*map(hard_nonces, new))


def test_a_pause_stops_and_a_start_goes_on(easy_work: AnnouncementWork) -> None:
    with AnnouncementEngine("cpu") as engine:
        engine.start(easy_work)
        taken = sum(map(len, take(engine, 1)))
        engine.pause()
        wait_for_state(engine, DeviceState.IDLE)
        take_rest(engine, taken)
        before = engine.statistics()
        assert engine.get(0.2) is None
        assert engine.statistics().nonces == before.nonces

        engine.start(easy_work)
        assert engine.get(PATIENCE) is not None


def test_statistics_count_what_was_done(easy_work: AnnouncementWork) -> None:
    with AnnouncementEngine("cpu") as engine:
        before = engine.statistics()
        assert before.devices[0].state is DeviceState.STARTING
        engine.start(easy_work)
        batches = take(engine, 3)
        batches += take_rest(engine, sum(map(len, batches)))
        after = engine.statistics()

    (device,) = after.devices
    assert device.announcements == sum(map(len, batches))
    assert device.announced_work == 2 * device.announcements
    assert device.jobs >= 2
    assert device.nonces >= 2 * 1024
    assert device.rechecked >= 1
    assert device.busy_seconds > 0
    assert after.rates_since(before).hashes_per_second > 0
    assert device.state is DeviceState.IDLE


def test_a_full_queue_drops_the_oldest_and_counts_them(easy_work: AnnouncementWork) -> None:
    with AnnouncementEngine("cpu", queue_limit=1, hard_nonce_start=0) as engine:
        engine.start(easy_work)
        wait_until(lambda: engine.statistics().dropped > 0)
        kept = take_rest(engine)
        statistics = engine.statistics()

    assert statistics.announcements == statistics.dropped + sum(map(len, kept))
    assert 0 not in set().union(*map(hard_nonces, kept))


def test_a_device_that_fails_its_self_test_mines_nothing(easy_work: AnnouncementWork) -> None:
    def blind(kernels: AnnouncementKernels) -> None:
        """The last find of each launch is missed."""
        search = kernels.search

        def miss(
            prepared: PreparedJob,
            first: int,
            count: int,
            cancelled: Callable[[], bool] | None = None,
        ) -> SearchLaunch:
            return FilteredLaunch(
                search(prepared, first, count, cancelled), lambda found: rows(found, slice(0, -1))
            )

        kernels.search = miss  # type: ignore[method-assign]

    with AnnouncementEngine("cpu", opener=altered(blind)) as engine:
        engine.start(easy_work)
        with pytest.raises(DeviceError, match="failed its self-test") as failed:
            engine.get(PATIENCE)

        (device,) = engine.statistics().devices
    assert device.state is DeviceState.FAILED
    assert device.error is not None
    assert "finds" in device.error
    assert engine.devices[0].name in str(failed.value)


def test_a_device_that_errs_later_is_stopped_and_nothing_of_it_is_delivered(
    easy_work: AnnouncementWork,
) -> None:
    with AnnouncementEngine("cpu", opener=altered(corrupt_unknown_jobs)) as engine:
        engine.start(easy_work)
        with pytest.raises(DeviceError, match="computes wrong announcements"):
            engine.get(PATIENCE)  # the first find is always re-checked

    (device,) = engine.statistics().devices
    assert device.state is DeviceState.FAILED
    assert device.withheld == device.announcements > 0


def test_other_devices_go_on_when_one_fails(easy_work: AnnouncementWork) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        if device.kind is DeviceKind.NUMPY:
            raise DeviceError("it is on fire")
        return open_kernels(device, threads)

    with AnnouncementEngine(["numpy", "cpu"], opener=opener) as engine:
        engine.start(easy_work)
        (batch, *_) = take(engine, 1)
        numpy, pocl = engine.statistics().devices

    assert batch.device == pocl.device.index
    assert numpy.state is DeviceState.FAILED
    assert numpy.error == "it is on fire"


def test_an_unexpected_error_of_a_driver_is_a_device_error(easy_work: AnnouncementWork) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        raise OSError("out of handles")

    with AnnouncementEngine("cpu", opener=opener) as engine:
        engine.start(easy_work)
        with pytest.raises(DeviceError, match="no device is left to mine with") as failed:
            engine.get(PATIENCE)

    assert "OSError: out of handles" in str(failed.value)


def test_jobs_with_invalid_programs_are_skipped_and_counted(easy_work: AnnouncementWork) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        kernels = open_kernels(device, threads)
        prepare_many = kernels.prepare_many

        def prepare_some(
            jobs: Sequence[AnnouncementJob], slot: int
        ) -> Generator[None, None, list[PreparedJob | ProgramError]]:
            (job,) = jobs
            if job.header.hard_nonce in (100, 102):
                return [ProgramError("too long")]
            return (yield from prepare_many(jobs, slot))

        kernels.prepare_many = prepare_some  # type: ignore[method-assign]
        return kernels

    with AnnouncementEngine("cpu", hard_nonce_start=100, opener=opener) as engine:
        engine.start(easy_work)
        batches = take(engine, 2)
        (device,) = engine.statistics().devices

    assert {101, 103} <= set().union(*map(hard_nonces, batches))
    assert not {100, 102} & set().union(*map(hard_nonces, batches))
    assert device.skipped_jobs == 2


@pytest.mark.parametrize("state", [DeviceState.STARTING, DeviceState.IDLE, DeviceState.MINING])
def test_closing_ends_the_threads_in_every_state(
    usual_work: AnnouncementWork, state: DeviceState
) -> None:
    engine = AnnouncementEngine("cpu")
    if state is not DeviceState.STARTING:
        wait_for_state(engine, DeviceState.IDLE)
    if state is DeviceState.MINING:
        engine.start(usual_work)
        wait_for_state(engine, DeviceState.MINING)

    engine.close()
    engine.close()

    assert engine.get() is None
    assert list(engine.batches()) == []
    wait_for_state(engine, DeviceState.CLOSED)


def test_closing_ends_the_iteration_of_another_thread(easy_work: AnnouncementWork) -> None:
    engine = AnnouncementEngine("cpu")
    engine.start(easy_work)
    first = threading.Event()

    def consume() -> None:
        for _ in engine.batches():
            first.set()

    consumer = threading.Thread(target=consume)
    consumer.start()
    assert first.wait(PATIENCE)

    engine.close()
    consumer.join(PATIENCE)

    assert not consumer.is_alive()


def test_a_forgotten_engine_stops() -> None:
    others = set(threading.enumerate())
    engine = AnnouncementEngine("cpu")
    wait_for_state(engine, DeviceState.IDLE)
    threads = set(threading.enumerate()) - others
    assert threads

    del engine
    gc.collect()

    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_forgotten_engine_stops_even_if_its_own_thread_finds_it() -> None:
    forgotten: list[AnnouncementEngine] = []
    opened, go_on = threading.Event(), threading.Event()

    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        opened.set()
        assert go_on.wait(PATIENCE)
        forgotten.clear()  # the last reference
        gc.collect()
        return open_kernels(device, threads)

    others = set(threading.enumerate())
    forgotten.append(AnnouncementEngine("cpu", opener=opener))
    assert opened.wait(PATIENCE)  # by now all its threads run: one that only starts has no join
    threads = set(threading.enumerate()) - others
    go_on.set()

    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.parametrize("threads", [0, -1])
def test_impossible_threads_are_refused(threads: int) -> None:
    with pytest.raises(ConfigError, match="threads"):
        AnnouncementEngine("numpy", threads=threads)


def test_a_program_that_ends_without_closing_ends_quietly() -> None:
    # NumPy computes in a thread pool that Python ends before the engine.
    run = subprocess.run(
        [sys.executable, "-c", ENDS_WHILE_COMPUTING],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")


ENDS_WHILE_COMPUTING = """
import threading
from packetcrypt.engine import AnnouncementEngine
from packetcrypt.engine.opening import open_kernels

computing = threading.Event()

def opener(device, threads):
    kernels = open_kernels(device, threads)
    prepare = kernels.prepare

    def prepare_and_tell(job, slot):
        computing.set()
        return prepare(job, slot)

    kernels.prepare = prepare_and_tell
    return kernels

engine = AnnouncementEngine("numpy", opener=opener)
computing.wait()
"""


class FilteredLaunch:
    """A real launch whose finds are altered."""

    def __init__(
        self, real: SearchLaunch, alter: Callable[[FoundAnnouncements], FoundAnnouncements]
    ) -> None:
        self._real = real
        self._alter = alter

    def result(self) -> FoundAnnouncements:
        return self._alter(self._real.result())


def rows(found: FoundAnnouncements, which: slice) -> FoundAnnouncements:
    return FoundAnnouncements(
        np.ascontiguousarray(found.announcements[which]),
        found.keys[which],
        found.soft_nonces[which],
    )


def corrupt_unknown_jobs(kernels: AnnouncementKernels) -> None:
    """One byte of each announcement is wrong, but not in the jobs of the self-test."""
    known = {known.job.parent_hash for known in known_jobs()}
    search = kernels.search

    def corrupt(found: FoundAnnouncements) -> FoundAnnouncements:
        wrong = found.announcements.copy()
        wrong[:, 700] ^= 4
        return FoundAnnouncements(wrong, found.keys, found.soft_nonces)

    def search_badly(
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        launch = search(prepared, first, count, cancelled)
        return launch if prepared.job.parent_hash in known else FilteredLaunch(launch, corrupt)

    kernels.search = search_badly  # type: ignore[method-assign]
