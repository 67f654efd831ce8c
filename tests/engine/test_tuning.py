"""Which tuning is chosen. Speeds are made up but in the last test, which only looks at the form."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import pytest

from packetcrypt.engine import tuning
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.opening import default_tuning
from packetcrypt.engine.tuning import Trial, tune
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import ConfigError, DeviceError

Speed = Callable[[Tuning], float]


def device_of(kind: DeviceKind) -> DeviceInfo:
    return DeviceInfo(
        kind=kind, name="d", platform="p", driver="1", index="0:0", compute_units=2, memory=0
    )


CPU = device_of(DeviceKind.CPU)


@dataclass
class PaperKernels:
    """What remains of kernels where speeds are made up."""

    tuning: Tuning
    launch_quantum: int = 1
    max_launch: int = 1
    launches: int = 2


class Bench:
    """Devices whose speed is a function of their tuning; writes down what is opened and closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, speed: Speed) -> None:
        self.opened: list[Tuning] = []
        self.open_now = 0

        class PaperSearch:
            def __init__(self, kernels: PaperKernels, size: object) -> None:
                self._tuning = kernels.tuning

            def rate(self, seconds: float) -> float:
                return speed(self._tuning)

        @contextmanager
        def paper_ready(device: DeviceInfo, open_device: Callable[[], Any]) -> Iterator[Any]:
            kernels = open_device()
            self.open_now += 1
            yield kernels
            self.open_now -= 1

        monkeypatch.setattr(tuning, "SteadySearch", PaperSearch)
        monkeypatch.setattr(tuning, "ready_kernels", paper_ready)

    def open(self, device: DeviceInfo, threads: int | None, tuning: Tuning | None) -> Any:
        assert tuning is not None
        self.opened.append(tuning)
        return PaperKernels(tuning)


def test_the_fastest_of_every_setting_is_combined(monkeypatch: pytest.MonkeyPatch) -> None:
    def speed(tuned: Tuning) -> float:
        return (2.0 if tuned.batch == 512 else 1.0) + (0.5 if tuned.launches == 3 else 0.0)

    bench = Bench(monkeypatch, speed)

    result = tune(CPU, threads=2, opener=bench.open)

    assert result.best == replace(default_tuning(CPU, 2), batch=512, launches=3)
    assert result.gain == pytest.approx(2.5)
    assert result.complete
    assert bench.open_now == 0


def test_equal_speeds_leave_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, lambda tuned: 1.0)

    result = tune(CPU, threads=2, opener=bench.open)

    assert result.best == result.default == default_tuning(CPU, 2)
    assert result.gain == 1
    assert result.trials[0] == Trial(result.default, 1.0, 1.0, 1.0, turns=7)


def test_what_is_faster_in_some_turns_only_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    luck = cycle([0.9, 1.5, 1.6])

    def speed(tuned: Tuning) -> float:
        return 1.0 if tuned == default_tuning(CPU, 2) else next(luck)

    result = tune(CPU, threads=2, opener=Bench(monkeypatch, speed).open)

    assert max(trial.ratio for trial in result.trials) >= 1.5
    assert result.best == result.default


def test_what_was_luck_does_not_survive_the_last_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Tuning] = []

    def speed(tuned: Tuning) -> float:
        asked.append(tuned)
        return 2.0 if tuned.batch == 512 and asked.count(tuned) <= 8 else 1.0

    result = tune(CPU, threads=2, opener=Bench(monkeypatch, speed).open)

    assert max(trial.ratio for trial in result.trials) == 2
    assert (result.best, result.gain) == (result.default, 1.0)


def test_a_tuning_that_cannot_be_opened_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(monkeypatch, lambda tuned: float(tuned.batch == 512) + 1)
    told: list[Trial] = []

    def opener(device: DeviceInfo, threads: int | None, tuning: Tuning | None) -> Any:
        if tuning is not None and tuning.batch == 768:
            raise DeviceError("too little memory")
        return bench.open(device, threads, tuning)

    result = tune(CPU, threads=2, tried=told.append, opener=opener)

    assert [trial.tuning.batch for trial in told if trial.problem == "too little memory"] == [768]
    assert result.best.batch == 512
    assert tuple(told) == result.trials


def test_a_device_that_does_not_open_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    Bench(monkeypatch, lambda tuned: 1.0)

    def opener(device: DeviceInfo, threads: int | None, tuning: Tuning | None) -> Any:
        raise DeviceError("broken")

    with pytest.raises(DeviceError, match="broken"):
        tune(CPU, opener=opener)


def test_time_that_runs_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One turn shows something, but is not enough to choose by."""
    bench = Bench(monkeypatch, lambda tuned: 1 / tuned.batch)

    result = tune(CPU, threads=2, seconds=1e-9, opener=bench.open)

    assert not result.complete
    assert {trial.turns for trial in result.trials} == {1}
    assert max(trial.ratio for trial in result.trials) > 1
    assert result.best == result.default


@pytest.mark.parametrize("kind", DeviceKind)
def test_every_kind_of_device_has_something_to_try(
    monkeypatch: pytest.MonkeyPatch, kind: DeviceKind
) -> None:
    bench = Bench(monkeypatch, lambda tuned: 1.0)

    result = tune(device_of(kind), threads=4, opener=bench.open)

    tried = {trial.tuning for trial in result.trials}
    assert len({tuned.batch for tuned in tried} | {tuned.group_size for tuned in tried}) > 2
    assert len({tuned.work_items for tuned in tried}) > 1
    assert result.complete


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        tune(CPU, seconds=seconds)


def test_a_real_device(pocl: DeviceInfo) -> None:
    result = tune(pocl, seconds=1.0)

    assert all(trial.problem is None for trial in result.trials)
    assert all(trial.hashes_per_second > 0 for trial in result.trials)
    assert result.best in {result.default, *(trial.tuning for trial in result.trials)}
