"""How a sprayer and what it passes on from others are put together, started and stopped.

others' sprayers → subscription ┐
                                ├→ not seen lately → sprayer → subscribers, fixed addresses
this handler's announcements ───┘
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from packetcrypt.client.announcement_queue import Announcements
from packetcrypt.client.sprayer_subscription import SprayerSubscription
from packetcrypt.client.subscription_statistics import SubscriptionStatistics
from packetcrypt.handler.recent_announcements import RecentAnnouncements
from packetcrypt.handler.regular_task import RegularTask
from packetcrypt.handler.sprayer import Sprayer
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.handler.sprayer_statistics import SprayerStatistics

_log = logging.getLogger(__name__)


class RunningSprayer:
    """A sprayer at work, with the sprayers that it subscribes to.

    known       : announcements that came from another sprayer and had been sprayed before
    received_at : when the last came from another sprayer, on the monotonic clock; None: none has
    """

    def __init__(self, settings: SprayerSettings, stack: ExitStack) -> None:
        self.known = 0
        self.received_at: float | None = None
        self._forwarder: threading.Thread | None = None
        self._sprayer = stack.enter_context(Sprayer(settings))
        self._subscription: SprayerSubscription | None = None
        self._recent: RecentAnnouncements | None = None
        if settings.subscription is None:
            return
        self._recent = RecentAnnouncements()
        self._subscription = SprayerSubscription(settings.subscription)
        self._forwarder = threading.Thread(
            target=self._forward,
            args=(self._subscription, self._recent),
            name="sprayer-forward",
            daemon=True,
        )
        # In this order when the stack is left: receiving ends first, which ends the forwarding.
        stack.callback(self._forwarder.join)
        stack.enter_context(self._subscription)
        self._forwarder.start()

    @property
    def is_spraying(self) -> bool:
        """Whether what it gets is sprayed: not after its thread failed."""
        return self._sprayer.is_spraying

    @property
    def is_forwarding(self) -> bool:
        """Whether what others spray is passed on: not after that failed, or if it asks nobody."""
        return self._forwarder is not None and self._forwarder.is_alive()

    @property
    def port(self) -> int:
        """Where it takes subscriptions."""
        return self._sprayer.port

    def spray(self, announcements: Announcements) -> None:
        """Sprays (n, 1024) uint8 announcements, which must not change any more. Never blocks long.

        They are not passed on again when they come back from another sprayer.
        """
        if self._recent is not None:
            self._recent.add(announcements)
        self._sprayer.spray(announcements)

    def statistics(self) -> tuple[SprayerStatistics, SubscriptionStatistics | None]:
        """What was sprayed; what was received, if it subscribes to anybody."""
        received = None if self._subscription is None else self._subscription.statistics()
        return self._sprayer.statistics(), received

    def _forward(self, subscription: SprayerSubscription, recent: RecentAnnouncements) -> None:
        try:
            while len(announcements := subscription.get()):
                self.received_at = time.monotonic()
                is_new = recent.add(announcements)
                self.known += len(announcements) - int(is_new.sum())
                self._sprayer.spray(announcements[is_new])
        except Exception:
            # The thread's outermost loop: the own announcements are sprayed without it.
            _log.exception("passing on failed; other sprayers' announcements are not passed on")


@asynccontextmanager
async def running_sprayer(settings: SprayerSettings) -> AsyncIterator[RunningSprayer]:
    """A sprayer that runs, and logs what it does, until the context is left.

    Raises `ConfigError` if one of its addresses cannot be used.
    """
    with ExitStack() as stack:
        sprayer = RunningSprayer(settings, stack)
        report = _Report(sprayer, settings.statistics_interval)
        task = RegularTask(settings.statistics_interval, report.log)
        _log.info(
            "sprayer takes subscriptions at UDP port %d%s",
            *(sprayer.port, "" if settings.passwd else ", from everybody: it has no passwd"),
        )
        try:
            yield sprayer
        finally:
            await task.finish(0.0)
            await asyncio.to_thread(stack.close)


class _Report:
    """The regular log lines."""

    def __init__(self, sprayer: RunningSprayer, seconds: float) -> None:
        self._sprayer = sprayer
        self._seconds = seconds
        self._before = sprayer.statistics()
        self._known_before = 0

    async def log(self) -> None:
        now = self._sprayer.statistics()
        sprayed_before, received_before = self._before
        sprayed, received = now
        _log.info("%s", sprayed.line(sprayed_before, self._seconds))
        if received is not None and received_before is not None:
            known = self._sprayer.known
            line = received.line(received_before, self._seconds)
            _log.info("%s known %d", line, known - self._known_before)
            self._known_before = known
        self._before = now
