"""What a program says at /health and /metrics, read as its operator's tools read it."""

from dataclasses import dataclass
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from packetcrypt.operations.metrics import Metric, MetricKind


@dataclass(frozen=True)
class Metrics:
    """The families and samples of one answer of /metrics.

    families : (type, help, names of labels) by name; a counter's name with its _total
    samples  : value by name and labels
    """

    families: dict[str, tuple[str, str, set[str]]]
    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def value(self, name: str, /, **labels: str) -> float:
        """Of one sample."""
        return self.samples[name, frozenset(labels.items())]

    def labels(self, name: str) -> list[dict[str, str]]:
        """Of all samples of a name."""
        return [dict(labels) for sample, labels in self.samples if sample == name]


async def read_metrics(session: aiohttp.ClientSession, url: str) -> Metrics:
    """Asks `url`/metrics; fails if its answer is not Prometheus' text."""
    async with session.get(f"{url}/metrics") as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"].startswith("text/plain")
        text = await response.text()
    families = {}
    samples = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        families[name] = (family.type, family.documentation, labels)
        for sample in family.samples:
            samples[sample.name, frozenset(sample.labels.items())] = sample.value
    return Metrics(families, samples)


def assert_as_declared(metrics: Metrics, table: tuple[Metric, ...]) -> None:
    """Everything that is shown is declared, with its type, help and labels."""
    declared = {metric.name: metric for metric in table}
    shown = {name for name in metrics.families if name.startswith("packetcrypt_")}
    assert shown - declared.keys() == set()
    for name in shown:
        kind, help, labels = metrics.families[name]
        assert MetricKind(kind) is declared[name].kind, name
        assert help == declared[name].help
        assert labels in (set(declared[name].labels), set()), name


async def read_health(session: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON of `url`/health."""
    async with session.get(f"{url}/health") as response:
        body: dict[str, Any] = await response.json()
        return response.status, body
