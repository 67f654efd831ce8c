"""Which tuning is the fastest on a device? Found by trying.

One setting after the other is varied around the best so far. The variants are opened side by side
and search in turns, so that whatever else the machine does meets them all alike; what counts is
the median of their paired ratios. A variant must be faster in nearly all turns to be taken, and
what was taken is compared with the default once more in the end: noise must not choose.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.launch_size import LaunchSize
from packetcrypt.engine.opening import cores_used, default_tuning, open_kernels
from packetcrypt.engine.readiness import ready_kernels
from packetcrypt.engine.steady_search import SteadySearch
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import ConfigError, DeviceError

#: Time for one device. With it a minute is enough even where its kernels are compiled first.
SECONDS: Final = 45.0

#: Turns of a comparison, and the fewest that choose anything: time may run out.
_TURNS: Final = 7
_FEWEST_TURNS: Final = 4
#: Bounds of the time that a variant searches in one turn.
_SHORTEST_S: Final = 0.02
_LONGEST_S: Final = 0.4

#: How much faster a variant must be to be taken; in three of four turns it must be no slower.
_MARGIN: Final = 1.01


class Opener(Protocol):
    """Opens the kernels of a device with a tuning."""

    def __call__(
        self, device: DeviceInfo, threads: int | None, tuning: Tuning | None
    ) -> AnnouncementKernels: ...


@dataclass(frozen=True)
class Trial:
    """How one tuning did beside others.

    hashes_per_second : median over the turns
    ratio             : to the reference of the comparison, median of the paired ratios; the best
                        so far is the reference, at last the default
    low_ratio         : their lower quartile
    turns             : how many there were
    problem           : why it could not be tried; its figures are 0 then
    """

    tuning: Tuning
    hashes_per_second: float = 0.0
    ratio: float = 0.0
    low_ratio: float = 0.0
    turns: int = 0
    problem: str | None = None

    @property
    def is_faster(self) -> bool:
        """Whether it clearly beats the reference."""
        return self.turns >= _FEWEST_TURNS and self.ratio >= _MARGIN and self.low_ratio >= 1


@dataclass(frozen=True)
class TuningResult:
    """What tuning one device gave.

    cores  : that it used; the result holds for them
    best   : the default if nothing is clearly faster
    gain   : how many times as fast as the default `best` is
    trials : what was tried, in order
    complete : all of what there is to try was tried; else time ran out
    """

    device: DeviceInfo
    cores: int
    default: Tuning
    best: Tuning
    gain: float
    trials: tuple[Trial, ...]
    seconds: float
    complete: bool


def tune(
    device: DeviceInfo,
    threads: int | None = None,
    seconds: float = SECONDS,
    tried: Callable[[Trial], None] = lambda trial: None,
    opener: Opener = open_kernels,
) -> TuningResult:
    """Try what may be tuned about `device`, in the calling thread; nothing is stored.

    tried : called with each trial as it ends

    Every tuning passes the self-test before it may search. Raises `ConfigError` for a time that is
    not positive, `DeviceError` if the device does not even work with its default.
    """
    if not seconds > 0:
        raise ConfigError(f"{seconds} seconds are no time to tune: give more than 0")
    default = default_tuning(device, threads)
    with ready_kernels(device, partial(opener, device, threads, default)):
        pass  # what is compiled once for a driver is no part of the time
    start = time.monotonic()
    session = _Session(device, threads, start + seconds, tried, opener)
    best = default
    stages = list(_stages(device.kind))
    for number, vary in enumerate(stages):
        variants = [variant for variant in vary(best) if variant != best]
        # One share more: for the last comparison with the default.
        best = session.best_of(best, variants, shares=len(stages) - number + 1)
    gain = 1.0
    if best != default:
        found = best
        best = session.best_of(default, [found], shares=1)
        gain = session.trials[-1].ratio if best == found else 1.0
    return TuningResult(
        device=device,
        cores=cores_used(device, threads),
        default=default,
        best=best,
        gain=gain,
        trials=tuple(session.trials),
        seconds=time.monotonic() - start,
        complete=session.complete,
    )


_Vary = Callable[[Tuning], Iterator[Tuning]]


def _stages(kind: DeviceKind) -> Iterator[_Vary]:
    """What to vary on such a device, the most promising first."""
    match kind:
        case DeviceKind.CPU:
            yield lambda best: (replace(best, batch=batch) for batch in (384, 512, 768, 1024))
            yield lambda best: iter([replace(best, work_items=2 * best.work_items)])
            yield lambda best: iter([replace(best, launches=3)])
        case DeviceKind.GPU:
            yield lambda best: (
                replace(best, work_items=work_items)
                for work_items in (best.work_items // 2, 2 * best.work_items, 4 * best.work_items)
            )
            yield lambda best: (replace(best, group_size=size) for size in (32, 128, 256))
            yield lambda best: (replace(best, rounds=rounds) for rounds in (1, 4))
            yield lambda best: iter([replace(best, launches=3)])
        case DeviceKind.NUMPY:
            yield lambda best: (replace(best, batch=batch) for batch in (4096, 16384))
            yield lambda best: (
                replace(best, work_items=max(1, best.work_items // part)) for part in (2, 4)
            )


class _Session:
    """Trials of one device, and the time that is left for them."""

    def __init__(
        self,
        device: DeviceInfo,
        threads: int | None,
        deadline: float,
        tried: Callable[[Trial], None],
        opener: Opener,
    ) -> None:
        self._device = device
        self._threads = threads
        self._deadline = deadline
        self._tried = tried
        self._opener = opener
        self.trials: list[Trial] = []
        self.complete = True

    def best_of(self, reference: Tuning, variants: Sequence[Tuning], shares: int) -> Tuning:
        """The fastest of `variants` if it clearly beats `reference`; takes 1/shares of the time."""
        with ExitStack() as opened:
            searches = {reference: self._open(reference, opened)}
            left = self._deadline - time.monotonic()
            stop_opening = time.monotonic() + left / shares
            for variant in variants:
                if len(searches) > 1 and time.monotonic() > stop_opening:
                    self.complete = False
                    break
                try:
                    searches[variant] = self._open(variant, opened)
                except DeviceError as error:  # too much memory, say
                    self._note(Trial(variant, problem=str(error)))
            if len(searches) == 1:
                return reference
            left = (self._deadline - time.monotonic()) / shares
            seconds = min(max(left / len(searches) / _TURNS, _SHORTEST_S), _LONGEST_S)
            trials = self._compare(searches, seconds)
        faster = [trial for trial in trials if trial.is_faster]
        return max(faster, key=lambda trial: trial.ratio).tuning if faster else reference

    def _open(self, tuning: Tuning, opened: ExitStack) -> SteadySearch:
        open_device = partial(self._opener, self._device, self._threads, tuning)
        kernels = opened.enter_context(ready_kernels(self._device, open_device))
        return SteadySearch(kernels, LaunchSize.of(self._device, kernels))

    def _compare(self, searches: dict[Tuning, SteadySearch], seconds: float) -> list[Trial]:
        """Let all search in turns; the first is what the others are compared with."""
        for search in searches.values():  # launches find their size
            search.rate(seconds)
        rates: dict[Tuning, list[float]] = {tuning: [] for tuning in searches}
        for turn in range(_TURNS):
            if turn and time.monotonic() > self._deadline:
                self.complete = False
                break
            for tuning, search in searches.items():
                rates[tuning].append(search.rate(seconds))
        reference, *_ = rates.values()
        trials = [_judged(tuning, own, reference) for tuning, own in rates.items()]
        for trial in trials:
            self._note(trial)
        return trials

    def _note(self, trial: Trial) -> None:
        self.trials.append(trial)
        self._tried(trial)


def _judged(tuning: Tuning, rates: Sequence[float], reference: Sequence[float]) -> Trial:
    """What the rates of some turns say about a tuning, beside those of the reference."""
    ratios = sorted(own / other for own, other in zip(rates, reference, strict=True))
    return Trial(
        tuning=tuning,
        hashes_per_second=statistics.median(rates),
        ratio=statistics.median(ratios),
        low_ratio=ratios[len(ratios) // 4],
        turns=len(rates),
    )
