"""The benchmarks: what they report, what they refuse, and that only right results have figures."""

import statistics
from collections.abc import Callable, Generator

import numpy as np
import numpy.typing as npt
import pytest

from packetcrypt.engine import benchmark, steady_run
from packetcrypt.engine.benchmark import benchmark_announcements
from packetcrypt.engine.check_benchmark import benchmark_checks
from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.known_answers import benchmark_answer
from packetcrypt.engine.opening import default_tuning, open_kernels
from packetcrypt.engine.steady_run import Landing
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    FoundAnnouncements,
    PreparedJob,
    SearchLaunch,
)
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.errors import ConfigError, DeviceError
from packetcrypt.protocol.validation import AnnouncementCheck

EASY = 0x207FFFFF
WORKLOAD = steady_run.workload(EASY)

Damage = Callable[[FoundAnnouncements], FoundAnnouncements]


def flip_last_byte(found: FoundAnnouncements) -> FoundAnnouncements:
    announcements = found.announcements.copy()
    announcements[:, -1] ^= 1
    return FoundAnnouncements(announcements, found.keys, found.soft_nonces)


def lose_last(found: FoundAnnouncements) -> FoundAnnouncements:
    return FoundAnnouncements(found.announcements[:-1], found.keys[:-1], found.soft_nonces[:-1])


class DamagedLaunch:
    def __init__(self, launch: SearchLaunch, damage: Damage) -> None:
        self._launch = launch
        self._damage = damage

    def result(self) -> FoundAnnouncements:
        return self._damage(self._launch.result())


class OverheatedKernels(AnnouncementKernels):
    """A device that passes its self-test, and miscomputes what benchmarks ask of it."""

    def __init__(
        self, real: AnnouncementKernels, damage: Damage = lambda found: found, denies: bool = False
    ) -> None:
        self._real = real
        self._damage = damage
        self._denies = denies
        self.max_launch = real.max_launch
        self.launch_quantum = real.launch_quantum

    def prepare(self, job: AnnouncementJob, slot: int) -> Generator[None, None, PreparedJob]:
        return self._real.prepare(job, slot)

    def search(
        self,
        prepared: PreparedJob,
        first: int,
        count: int,
        cancelled: Callable[[], bool] | None = None,
    ) -> SearchLaunch:
        launch = self._real.search(prepared, first, count, cancelled)
        is_workload = prepared.job.parent_hash == WORKLOAD.parent_hash
        return DamagedLaunch(launch, self._damage) if is_workload else launch

    def check(
        self, announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        checked = self._real.check(announcements, parent_hashes)
        if self._denies and (parent_hashes == np.frombuffer(WORKLOAD.parent_hash, np.uint8)).all():
            checked.results[-1] = AnnouncementCheck.INVAL
        return checked

    def close(self) -> None:
        self._real.close()


def test_a_result_is_consistent(pocl: DeviceInfo) -> None:
    result = benchmark_announcements(pocl, 0.5, work_bits=EASY)

    assert (result.device, result.index) == (pocl.name, pocl.index)
    assert result.work_bits == EASY
    assert result.known_answers is True
    assert 1 <= result.rechecked <= 4
    assert result.seconds > 0.5  # what was measured, not what was asked for
    assert result.prepare_seconds > 0
    assert result.tuning == default_tuning(pocl) or result.tuned
    # Every other nonce is an announcement of this work.
    ratio = result.announcements_per_second / result.hashes_per_second
    assert ratio == pytest.approx(0.5, abs=0.1)


def test_slices_and_stages(pocl: DeviceInfo) -> None:
    result = benchmark_announcements(pocl, 0.5)

    assert result.slices_median == pytest.approx(statistics.median(result.slices))
    assert (result.slices_lowest, result.slices_highest) == (
        min(result.slices),
        max(result.slices),
    )
    assert result.stages is not None
    assert result.stages.search > result.stages.finishing > 0
    assert result.stages.tables > 0


def test_slices_are_cut_at_landings() -> None:
    times = [0.0, 0.5, 1.0, 1.5, 2.5, 2.6]
    landings = [Landing(time, nonces=100, announcements=0, first=None) for time in times]

    assert benchmark._slices(landings, 1.0) == (200.0, pytest.approx(200 / 1.5))
    assert benchmark._slices(landings, 9.0) == (pytest.approx(500 / 2.6),)


@pytest.mark.parametrize("work_bits", [EASY, 0x2001FFFF])
@pytest.mark.parametrize("damage", [flip_last_byte, lose_last])
def test_a_device_that_errs_under_load_has_no_figures(
    pocl: DeviceInfo, damage: Damage, work_bits: int
) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        return OverheatedKernels(open_kernels(device, threads), damage)

    with pytest.raises(DeviceError, match="wrongly under load: the first"):
        benchmark_announcements(pocl, 0.1, work_bits=work_bits, opener=opener)


def test_what_has_no_known_answer_is_re_checked(pocl: DeviceInfo) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        return OverheatedKernels(open_kernels(device, threads), flip_last_byte)

    assert benchmark_answer(0x2002FFFF) is None
    with pytest.raises(DeviceError, match="wrongly under load: the host finds"):
        benchmark_announcements(pocl, 0.1, work_bits=0x2002FFFF, opener=opener)


def test_kernels_that_do_not_measure_have_no_stages(pocl: DeviceInfo) -> None:
    result = benchmark_announcements(pocl, 0.1, profiling_opener=open_kernels)

    assert result.stages is None


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_is_refused(pocl: DeviceInfo, seconds: float) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        benchmark_announcements(pocl, seconds)
    with pytest.raises(ConfigError, match="more than 0"):
        benchmark_checks(pocl, seconds)


def test_impossible_work_bits_are_refused(pocl: DeviceInfo) -> None:
    with pytest.raises(ConfigError, match="work bits"):
        benchmark_announcements(pocl, 1, work_bits=0)


def test_checks(pocl: DeviceInfo) -> None:
    result = benchmark_checks(pocl, 0.2)

    assert result.device == pocl.name
    assert result.announcements > 400
    assert result.distinct_announcements >= 8
    assert result.announcements_per_second > 0
    assert result.distinct_announcements_per_second > 0
    assert result.known_answers is True


def test_a_device_that_misjudges_under_load_has_no_figures(pocl: DeviceInfo) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        return OverheatedKernels(open_kernels(device, threads), denies=True)

    with pytest.raises(DeviceError, match="its own announcements"):
        benchmark_checks(pocl, 0.1, opener=opener)
