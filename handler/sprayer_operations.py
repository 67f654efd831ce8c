"""A sprayer of its own, and what it shows its operator if the settings say where."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from packetcrypt.handler.listen_address import listen_address
from packetcrypt.handler.sprayer_metrics import sprayer_metrics, sprayer_readings
from packetcrypt.handler.sprayer_service import RunningSprayer, running_sprayer
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Check, Checks, Grade, Health
from packetcrypt.operations.listener import answering
from packetcrypt.protocol.errors import ConfigError

SERVICE: Final = "sprayer"
METRICS: Final = sprayer_metrics("packetcrypt_sprayer")

SILENT_SECONDS: Final = 60.0
"""Without an announcement for so long something is wrong: a pool has some every second."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SprayerService:
    """A running sprayer; `metrics_port` is where /health and /metrics answer, None: nowhere."""

    sprayer: RunningSprayer
    metrics_port: int | None


@asynccontextmanager
async def running_sprayer_service(settings: SprayerSettings) -> AsyncIterator[SprayerService]:
    """As `running_sprayer`, and with the operator's endpoints at `metrics_bind`."""
    async with AsyncExitStack() as stack:
        sprayer = await stack.enter_async_context(running_sprayer(settings))
        port = None
        if settings.metrics_bind:
            operations = Operations(
                Health(SERVICE, "", lambda: sprayer_checks(sprayer)),
                METRICS,
                lambda: sprayer_readings("packetcrypt_sprayer", sprayer),
            )
            address = listen_address(settings.metrics_bind, "metrics_bind")
            try:
                port = await stack.enter_async_context(answering(operations, *address))
            except ConfigError as error:
                raise ConfigError(f'metrics_bind = "{settings.metrics_bind}": {error}') from error
            _log.info("/health and /metrics are answered at port %d", port)
        yield SprayerService(sprayer, port)


def sprayer_checks(sprayer: RunningSprayer) -> Checks:
    """What /health says."""
    return {
        "spraying": Check.of(
            sprayer.is_spraying,
            "it sprays" if sprayer.is_spraying else "it failed, and nothing is sprayed",
            Grade.DOWN,
        ),
        "forwarding": Check.of(
            sprayer.is_forwarding,
            "it passes on" if sprayer.is_forwarding else "it failed, and nothing is passed on",
            Grade.DOWN,
        ),
        "sources": _sources(sprayer.received_at),
    }


def _sources(received_at: float | None) -> Check:
    if received_at is None:
        return Check(Grade.TROUBLE, "no announcement has come from other sprayers yet")
    silence = time.monotonic() - received_at
    detail = f"the last announcement came {silence:.0f} s ago"
    return Check.of(silence <= SILENT_SECONDS, detail)
