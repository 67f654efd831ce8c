"""docs/operations.md has every metric of every program, as the program declares it."""

import importlib
import re
from pathlib import Path

import pytest

from packetcrypt.operations.endpoints import common_metrics
from packetcrypt.operations.metrics import Metric

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
TABLES = sorted(
    f"packetcrypt.{path.parent.name}.{path.stem}"
    for folder in ("handler", "miner", "pool")
    for path in (ROOT / folder).glob("*.py")
    if re.search(r"^METRICS\b", path.read_text(), re.MULTILINE)
)


def row(metric: Metric) -> str:
    """Its line in the page's table."""
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"


def metrics_of(module: str) -> tuple[Metric, ...]:
    metrics: tuple[Metric, ...] = importlib.import_module(module).METRICS
    return metrics


def test_there_are_tables() -> None:
    assert "packetcrypt.pool.master_operations" in TABLES


@pytest.mark.parametrize("module", TABLES)
def test_every_metric_is_on_the_page(module: str) -> None:
    missing = [row(metric) for metric in metrics_of(module) if row(metric) not in PAGE]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("common", common_metrics("SERVICE"), ids=lambda metric: metric.name)
def test_what_all_programs_have_is_on_the_page(common: Metric) -> None:
    assert row(common) in PAGE


def test_no_metric_on_the_page_is_gone() -> None:
    known = {metric.name for module in TABLES for metric in metrics_of(module)}
    known |= {metric.name for metric in common_metrics("SERVICE")}
    named = set(re.findall(r"^\| `(packetcrypt_\w+)`", PAGE, re.MULTILINE))
    assert named <= known
