"""Which numbers a program shows as metrics, declared before they are read.

Every program has one table of `Metric`s, which its documentation is tested against, and one
function that reads what they are now from the counters that it keeps anyway. Prometheus computes
rates itself, from counters: no metric here is one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as MetricFamily
from prometheus_client.registry import Collector

_TOTAL: Final = "_total"


class MetricKind(StrEnum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    """only grows, from 0 at the start"""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One metric.

    name   : as it is shown; a counter's ends in _total, and a unit comes before that
    labels : of its samples. Each has few values, whatever clients send
    """

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert (self.kind is MetricKind.COUNTER) == self.name.endswith(_TOTAL), self.name


Value = (
    float
    | Mapping[str, float]
    | Mapping[tuple[str, ...], float]
    | Mapping[tuple[str, str], float]
    | Mapping[tuple[str, str, str], float]
)
"""of a metric: one number, or one by label values; with a single label, by that"""

Readings = Mapping[str, Value]
"""values by the metrics' names; those that are not known now are left out"""


def counter(name: str, help: str, *labels: str) -> Metric:
    """A counter; `name` ends in _total."""
    return Metric(name, MetricKind.COUNTER, help, labels)


def gauge(name: str, help: str, *labels: str) -> Metric:
    """A number that goes up and down."""
    return Metric(name, MetricKind.GAUGE, help, labels)


class ReadingCollector(Collector):
    """Shows readings when Prometheus asks.

    metrics : the table; histograms in it are not this collector's
    read    : must neither block nor raise
    """

    def __init__(self, metrics: Sequence[Metric], read: Callable[[], Readings]) -> None:
        self._metrics = {
            metric.name: metric for metric in metrics if metric.kind is not MetricKind.HISTOGRAM
        }
        self._read = read

    def describe(self) -> Iterator[MetricFamily]:
        """The families without samples."""
        for metric in self._metrics.values():
            yield _family(metric)

    def collect(self) -> Iterator[MetricFamily]:
        """The families with what is read now."""
        readings = self._read()
        assert readings.keys() <= self._metrics.keys(), readings.keys() - self._metrics.keys()
        for name, metric in self._metrics.items():
            if name in readings:
                yield _with_samples(metric, readings[name])


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    if metric.kind is MetricKind.COUNTER:
        name = metric.name.removesuffix(_TOTAL)  # which the family adds
        return CounterMetricFamily(name, metric.help, labels=metric.labels)
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)


def _with_samples(metric: Metric, value: Value) -> MetricFamily:
    family = _family(metric)
    if not isinstance(value, Mapping):
        family.add_metric((), value)
        return family
    for labels, number in value.items():
        family.add_metric((labels,) if isinstance(labels, str) else labels, number)
    return family
