"""What a development chain shows its operator: whether it goes on, and its metrics."""

from dataclasses import dataclass
from typing import Final

from packetcrypt.handler.disk_probe import DiskProbe
from packetcrypt.handler.http_metrics import http_metrics, http_readings
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.operations.health import Check, Checks, Grade
from packetcrypt.operations.metrics import Readings, Value, counter, gauge
from packetcrypt.pool.devchain_faults import LATE, Failure
from packetcrypt.pool.devchain_node import DevchainNode
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.pool.devchain_statistics import DevchainStatistics, ShareOutcome

SERVICE: Final = "devchain"

OVERDUE_SECONDS: Final = 10.0
"""in which a block that is overdue has been made up, however busy the machine is"""

_OUTCOMES: Final = {True: "result", False: "error"}
_FAULTS: Final = (LATE, *(failure.label for failure in Failure if failure is not Failure.NONE))

METRICS: Final = (
    *http_metrics(SERVICE),
    gauge("packetcrypt_devchain_tip_height", "Height of the best chain's last block."),
    gauge(
        "packetcrypt_devchain_block_age_seconds",
        "Seconds since the last block came, or since the start.",
    ),
    counter(
        "packetcrypt_devchain_blocks_total",
        "Blocks added, by origin: mined (submitted and accepted) or made_up.",
        "origin",
    ),
    counter(
        "packetcrypt_devchain_blocks_refused_total",
        "Blocks that were submitted and not accepted.",
    ),
    counter(
        "packetcrypt_devchain_blocks_displaced_total",
        "Blocks that the best chain lost to a longer branch.",
    ),
    counter(
        "packetcrypt_devchain_shares_total",
        "Shares that were checked, by outcome: ok, resubmit_as_block (good enough for a block) or "
        "refused.",
        "outcome",
    ),
    counter(
        "packetcrypt_devchain_calls_total",
        "JSON-RPC calls by method (other: there is none of that name) and outcome, result or "
        "error (a refused block is a result, too); without those that a fault kept from being "
        "carried out.",
        *("method", "outcome"),
    ),
    counter(
        "packetcrypt_devchain_faults_total",
        "Faults injected, as the settings say: late, refused (503), unheard (no answer, not "
        "carried out) or unanswered (carried out, no answer).",
        "fault",
    ),
    gauge("packetcrypt_devchain_paid_addresses", "Addresses that the next block is to pay."),
    gauge("packetcrypt_devchain_disk_free_bytes", "Room on the disk of the chain's folder."),
)


@dataclass(frozen=True, kw_only=True)
class DevchainOperations:
    """Reads one development chain."""

    settings: DevchainSettings
    statistics: DevchainStatistics
    node: DevchainNode
    disk: DiskProbe

    def checks(self) -> Checks:
        """What /health says."""
        return {"chain": self._chain(), "disk": self.disk.check(Grade.DOWN)}

    def readings(self, http: HttpListeners) -> Readings:
        """What /metrics says."""
        now = self.statistics
        calls: dict[tuple[str, ...], float] = {
            (method, _OUTCOMES[has_result]): count
            for (method, has_result), count in now.calls.items()
        }
        readings: dict[str, Value] = {
            **http_readings(SERVICE, http),
            "packetcrypt_devchain_tip_height": self.node.tree.tip.height,
            "packetcrypt_devchain_block_age_seconds": self.node.seconds_waited,
            "packetcrypt_devchain_blocks_total": {"mined": now.mined, "made_up": now.made_up},
            "packetcrypt_devchain_blocks_refused_total": now.refused,
            "packetcrypt_devchain_blocks_displaced_total": now.displaced,
            "packetcrypt_devchain_shares_total": {
                outcome.value: now.shares[outcome] for outcome in ShareOutcome
            },
            "packetcrypt_devchain_calls_total": calls,
            "packetcrypt_devchain_faults_total": {fault: now.faults[fault] for fault in _FAULTS},
            "packetcrypt_devchain_paid_addresses": len(self.node.payouts),
        }
        if self.disk.free_bytes is not None:
            readings["packetcrypt_devchain_disk_free_bytes"] = self.disk.free_bytes
        return readings

    def _chain(self) -> Check:
        seconds = self.node.seconds_waited
        limit = self.settings.patience * self.settings.block_seconds
        goes_on = not limit or seconds <= limit + OVERDUE_SECONDS
        return Check.of(
            goes_on, f"the tip is block {self.node.tree.tip.height}, for {seconds:.0f} s"
        )
