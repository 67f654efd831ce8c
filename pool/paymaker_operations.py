"""What a paymaker shows its operator: whether it can do its job, and its metrics."""

from dataclasses import dataclass
from typing import Final

from packetcrypt.handler.disk_probe import DiskProbe
from packetcrypt.handler.http_metrics import http_metrics, http_readings
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.operations.health import Check, Checks, Grade
from packetcrypt.operations.metrics import Readings, Value, counter, gauge
from packetcrypt.pool.paymaker_history import History
from packetcrypt.pool.paymaker_intake import WAITING_MAX, PaymakerIntake
from packetcrypt.pool.paymaker_payouts import Payouts
from packetcrypt.pool.paymaker_reckoning import Reckoning
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.pool.paymaker_statistics import PaymakerStatistics

SERVICE: Final = "paymaker"

LATE_CYCLES: Final = 2.5
"""update_cycles without a payout that the node took: one may fail, and the next makes up for it"""

FAILURE_SECONDS: Final = 120.0
"""how long an upload that could not be written says that none can: handlers come again within a
minute, and if none does, nobody knows. A proxy that sends nobody here while /health says 503 must
not keep it so"""

METRICS: Final = (
    *http_metrics(SERVICE),
    counter(
        "packetcrypt_paymaker_uploads_total",
        "Pay logs that handlers sent: new ones and replays (the same bytes came before) are on the "
        "disk and were acknowledged, failed could not be written, overloaded found no place.",
        "outcome",
    ),
    gauge(
        "packetcrypt_paymaker_uploads_waiting",
        f"Pay logs that are being read or written; more than {WAITING_MAX} are turned away.",
    ),
    counter(
        "packetcrypt_paymaker_events_total",
        "New events in the ledger: anns (posts of announcements), share or block.",
        "type",
    ),
    counter(
        "packetcrypt_paymaker_repeated_events_total",
        "Events that came again in another pay log; they are not paid again.",
    ),
    counter(
        "packetcrypt_paymaker_refused_lines_total", "Lines of new pay logs that were no events."
    ),
    counter(
        "packetcrypt_paymaker_payouts_total",
        "Rounds of telling the node whom to pay, by outcome: told, error_address (it was told to "
        "pay error_address instead), or failed (it took nothing, and pays as before).",
        "outcome",
    ),
    gauge(
        "packetcrypt_paymaker_last_payout_timestamp_seconds",
        "When the node last took a payout that was not error_address's, since 1970.",
    ),
    counter(
        "packetcrypt_paymaker_node_calls_total",
        "Calls that tell the node whom to pay, by outcome: answered, also with a refusal, or "
        "failed.",
        "outcome",
    ),
    gauge(
        "packetcrypt_paymaker_memory_events",
        "Events in memory, those of the last `history` seconds: anns, share or block.",
        "type",
    ),
    gauge("packetcrypt_paymaker_memory_addresses", "Addresses in memory."),
    gauge("packetcrypt_paymaker_disk_free_bytes", "Room on the disk of the ledger."),
)


@dataclass(frozen=True, kw_only=True)
class PaymakerOperations:
    """Reads one paymaker."""

    settings: PaymakerSettings
    statistics: PaymakerStatistics
    history: History
    intake: PaymakerIntake
    reckoning: Reckoning
    payouts: Payouts
    disk: DiskProbe

    def checks(self) -> Checks:
        """What /health says. Without its node a paymaker takes events as always."""
        return {
            "node": self.payouts.contact.check(self.settings.update_cycle),
            "payout": self._payout(),
            "ledger": self._ledger(),
            "uploads": self._uploads(),
            "disk": self.disk.check(Grade.DOWN),
        }

    def readings(self, http: HttpListeners) -> Readings:
        """What /metrics says."""
        now, memory = self.statistics, self.history.size()
        readings: dict[str, Value] = {
            **http_readings(SERVICE, http),
            "packetcrypt_paymaker_uploads_total": {
                "new": now.uploads - now.replays,
                "replay": now.replays,
                "failed": now.failed,
                "overloaded": now.overloaded,
            },
            "packetcrypt_paymaker_uploads_waiting": self.intake.waiting,
            "packetcrypt_paymaker_events_total": {
                "anns": now.announcement_posts,
                "share": now.shares,
                "block": now.blocks,
            },
            "packetcrypt_paymaker_repeated_events_total": now.repeated,
            "packetcrypt_paymaker_refused_lines_total": now.refused,
            "packetcrypt_paymaker_payouts_total": {
                "told": now.payouts,
                "error_address": now.error_payouts,
                "failed": now.failed_payouts,
            },
            "packetcrypt_paymaker_node_calls_total": self.payouts.contact.counts,
            "packetcrypt_paymaker_memory_events": {
                "anns": memory.anns,
                "share": memory.shares,
                "block": memory.blocks,
            },
            "packetcrypt_paymaker_memory_addresses": memory.addresses,
        }
        if self.reckoning.latest_payout is not None:
            at = self.reckoning.latest_payout / 1000
            readings["packetcrypt_paymaker_last_payout_timestamp_seconds"] = at
        if self.disk.free_bytes is not None:
            readings["packetcrypt_paymaker_disk_free_bytes"] = self.disk.free_bytes
        return readings

    def _payout(self) -> Check:
        silence = self.payouts.silence
        if self.payouts.pays_error_address:
            return Check(Grade.TROUBLE, "error_address is paid instead of the miners")
        if self.reckoning.latest_payout is None:
            return Check(Grade.TROUBLE, f"the node has taken no payout yet, for {silence:.0f} s")
        is_recent = silence <= LATE_CYCLES * self.settings.update_cycle
        return Check.of(is_recent, f"the node took a payout {silence:.0f} s ago")

    def _ledger(self) -> Check:
        seconds = self.intake.seconds_since_failure
        if seconds is None:
            return Check(Grade.GOOD, "uploads are written")
        grade = Grade.DOWN if seconds <= FAILURE_SECONDS else Grade.TROUBLE
        text = f"the last upload could not be written, {seconds:.0f} s ago"
        return Check(grade, text)

    def _uploads(self) -> Check:
        waiting = self.intake.waiting
        return Check.of(waiting < WAITING_MAX, f"{waiting} of {WAITING_MAX} places are taken")
