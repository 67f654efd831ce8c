"""What a program answers its operator and Prometheus: `GET /health` and `GET /metrics`."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from packetcrypt.operations.health import VERSION, Grade, Health
from packetcrypt.operations.metrics import Metric, ReadingCollector, Readings, gauge
from packetcrypt.operations.request_times import RequestTimes, request_times_metric

HEALTH_PATH: Final = "/health"
METRICS_PATH: Final = "/metrics"


def common_metrics(service: str) -> tuple[Metric, ...]:
    """What every program shows, besides the `process_…` metrics of prometheus_client."""
    return (
        gauge(f"packetcrypt_{service}_info", "1, with the version of the program.", "version"),
        gauge(
            f"packetcrypt_{service}_check_ok", "1 for each check of /health that is ok.", "check"
        ),
        gauge(f"packetcrypt_{service}_healthy", "1 if /health answers 200: it can do its job."),
        request_times_metric(service),
    )


class Operations:
    """The endpoints of one program.

    metrics : its table without `common_metrics`
    read    : what they are now; must neither block nor raise
    prefix  : a path that may come before every route, see `RequestTimes`
    """

    def __init__(
        self,
        health: Health,
        metrics: Sequence[Metric],
        read: Callable[[], Readings],
        prefix: str = "",
    ) -> None:
        self._health = health
        self._read = read
        self._registry = CollectorRegistry()
        table = common_metrics(health.service)
        self._registry.register(ReadingCollector((*table, *metrics), self._readings))
        ProcessCollector(registry=self._registry)
        request_times = request_times_metric(health.service)
        self._times = RequestTimes(request_times, prefix)
        self._registry.register(self._times)

    def middleware(self) -> Middleware:
        """Takes the time of every request; must be the application's first."""
        return self._times.middleware()

    async def get_health(self, _: web.Request) -> web.Response:
        """200 if the program can do its job, else 503; why is in the body."""
        report = self._health.report()
        return web.Response(
            status=HTTPStatus.OK if report.can_work else HTTPStatus.SERVICE_UNAVAILABLE,
            body=report.encode(),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    async def get_metrics(self, request: web.Request) -> web.Response:
        """All metrics, in the text format that was asked for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
        return web.Response(body=encode(self._registry), headers=headers)

    def _readings(self) -> Readings:
        report = self._health.report()
        service = f"packetcrypt_{report.service}"
        return {
            f"{service}_info": {VERSION: 1},
            f"{service}_check_ok": {
                name: float(check.grade is Grade.GOOD) for name, check in report.checks.items()
            },
            f"{service}_healthy": float(report.can_work),
            **self._read(),
        }
