"""How long requests took, by what was asked and how it was answered."""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from packetcrypt.operations.metrics import Metric, MetricKind

#: From what is answered from memory to a long poll, which is held for half a minute.
BUCKETS: Final = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0)
_BOUNDS: Final = (*map(str, BUCKETS), "+Inf")
_ELSEWHERE: Final = "other"


def request_times_metric(service: str) -> Metric:
    """What the histogram is called, and what is in it."""
    return Metric(
        f"packetcrypt_{service}_request_seconds",
        MetricKind.HISTOGRAM,
        "Requests by the seconds from their head to the end of their answer.",
        ("route", "status"),
    )


@dataclass
class _Times:
    """Of the requests with the same labels; counts by bucket."""

    seconds: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * len(_BOUNDS))


class RequestTimes(Collector):
    """A histogram that is filled by a middleware. Use on one event loop.

    A route is a pattern, e.g. "GET /work_{height}.bin": clients can make up paths, not routes. All
    that has none is "other". (prometheus_client's own histogram would show a creation time beside
    every count, unless that is switched off for the whole process.)

    prefix : a path that may come before every route and says nothing, e.g. "/master"
    """

    def __init__(self, metric: Metric, prefix: str = "") -> None:
        self._metric = metric
        self._prefix = prefix
        self._times: defaultdict[tuple[str, str], _Times] = defaultdict(_Times)

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """The family without samples."""
        yield HistogramMetricFamily(
            self._metric.name, self._metric.help, labels=self._metric.labels
        )

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The family with what was counted."""
        for family in self.describe():
            for labels, times in self._times.items():
                buckets = list(zip(_BOUNDS, accumulate(times.counts), strict=True))
                family.add_metric(labels, buckets, times.seconds)
            yield family

    def middleware(self) -> Middleware:
        """The outermost one, so that it sees the status that is sent."""

        @web.middleware
        async def take_time(request: web.Request, handler: Handler) -> web.StreamResponse:
            began = time.perf_counter()
            status = 500
            try:
                response = await handler(request)
                status = response.status
                return response
            except web.HTTPException as problem:
                status = problem.status
                raise
            finally:
                self._count(request, status, time.perf_counter() - began)

        return take_time

    def _count(self, request: web.Request, status: int, seconds: float) -> None:
        times = self._times[self._route(request), str(status)]
        times.seconds += seconds
        times.counts[bisect_left(BUCKETS, seconds)] += 1

    def _route(self, request: web.Request) -> str:
        resource = request.match_info.route.resource
        if resource is None:
            return _ELSEWHERE
        return f"{request.method} {resource.canonical.removeprefix(self._prefix)}"
