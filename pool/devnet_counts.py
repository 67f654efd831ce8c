"""How much work the handlers of a devnet have taken, over all their lives: from their metrics."""

from collections import defaultdict
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from packetcrypt.client.http import HttpLimits, get
from packetcrypt.operations.endpoints import METRICS_PATH
from packetcrypt.pool.devnet_summary import WorkCounts
from packetcrypt.protocol.errors import PoolError

ANNOUNCEMENTS: Final = "packetcrypt_ah_announcements_total"
SHARES: Final = "packetcrypt_bh_shares_total"
RESULT: Final = "result"
ACCEPTED: Final = "accepted"
_LIMITS: Final = HttpLimits(body_size=1 << 20, seconds=5.0)


class HandlerCounts:
    """A counter of handlers, added up.

    metric : a counter of what became of work, with the label `result`
    """

    def __init__(self, session: aiohttp.ClientSession, urls: Sequence[str], metric: str) -> None:
        self._session = session
        self._urls = urls
        self._metric = metric
        self._last: dict[str, WorkCounts] = {}
        self._before: dict[str, WorkCounts] = defaultdict(WorkCounts)

    @property
    def total(self) -> WorkCounts:
        """As it was at the last look, with what handlers had counted before they were restarted."""
        counts = [*self._last.values(), *self._before.values()]
        return WorkCounts(
            sum(count.accepted for count in counts), sum(count.rejected for count in counts)
        )

    async def look(self) -> None:
        """Asks every handler; one that does not answer, because it starts, stays as it was."""
        for url in self._urls:
            try:
                answer = await get(self._session, url + METRICS_PATH, _LIMITS)
            except PoolError:
                continue
            if answer.status == HTTPStatus.OK:
                self._note(url, _read(answer.body.decode(), self._metric))

    def _note(self, url: str, now: WorkCounts) -> None:
        last = self._last.get(url, WorkCounts())
        if now.accepted < last.accepted or now.rejected < last.rejected:  # it began anew
            before = self._before[url]
            self._before[url] = WorkCounts(
                before.accepted + last.accepted, before.rejected + last.rejected
            )
        self._last[url] = now


def _read(text: str, metric: str) -> WorkCounts:
    values: dict[bool, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == metric:
                values[sample.labels[RESULT] == ACCEPTED] += sample.value
    return WorkCounts(int(values[True]), int(values[False]))
