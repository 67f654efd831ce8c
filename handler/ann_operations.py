"""What an announcement handler shows its operator: whether it can do its job, and its metrics."""

from dataclasses import dataclass
from typing import Final

from packetcrypt.handler.client_limit import ClientLimit
from packetcrypt.handler.crediting import Checker, Crediting
from packetcrypt.handler.disk_probe import DiskProbe
from packetcrypt.handler.http_metrics import http_metrics, http_readings
from packetcrypt.handler.intake import Intake
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.handler.paylog_metrics import paylog_metrics, paylog_readings
from packetcrypt.handler.paylog_upload import PayLogUpload
from packetcrypt.handler.pool_follower import PoolFollower
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.sprayer_metrics import sprayer_metrics, sprayer_readings
from packetcrypt.handler.sprayer_service import RunningSprayer
from packetcrypt.handler.statistics import HandlerStatistics
from packetcrypt.handler.storage import Storage
from packetcrypt.operations.health import Check, Checks, Grade
from packetcrypt.operations.metrics import Readings, Value, counter, gauge

SERVICE: Final = "ah"
_SPRAYER: Final = "packetcrypt_ah_sprayer"

METRICS: Final = (
    *http_metrics(SERVICE),
    counter(
        "packetcrypt_ah_posts_total",
        "Posts by outcome: judged, refused as a whole (a wrong header or body), or overloaded (not "
        "taken: the queue is full, or the client has max_waiting_per_client here).",
        "outcome",
    ),
    counter(
        "packetcrypt_ah_client_limit_total",
        "Posts that were overloaded because their client had max_waiting_per_client here.",
    ),
    counter("packetcrypt_ah_post_bytes_total", "Bytes of the bodies of posts."),
    counter(
        "packetcrypt_ah_announcements_total",
        "Announcements of judged posts by outcome: accepted, duplicate, invalid, bad_hash (another "
        "handler's), or internal_error (neither credited nor refused: they may be sent again).",
        "outcome",
    ),
    gauge("packetcrypt_ah_posts_waiting", "Posts in the queue (at most input_queue_len)."),
    gauge(
        "packetcrypt_ah_clients",
        "Clients that have posts here now, of those whose address is known.",
    ),
    counter(
        "packetcrypt_ah_checks_total",
        "Announcements whose hashes were checked on a device.",
    ),
    counter(
        "packetcrypt_ah_batches_failed_total",
        "Batches of posts that could not be checked, or not be written.",
    ),
    gauge("packetcrypt_ah_devices", "Devices that announcements are checked on."),
    gauge("packetcrypt_ah_devices_working", "Of these, how many have not failed."),
    gauge("packetcrypt_ah_parent_height", "Height of the newest block that is a parent here."),
    counter(
        "packetcrypt_ah_master_polls_total",
        "Questions to the master, by outcome: answered or failed.",
        "outcome",
    ),
    gauge("packetcrypt_ah_dedup_tables", "Parent heights whose credited keys are kept."),
    gauge(
        "packetcrypt_ah_dedup_keys",
        "Credited keys that are kept to recognise duplicates, 8 bytes each.",
    ),
    gauge("packetcrypt_ah_files_offered", "Announcement files offered to block miners."),
    gauge(
        "packetcrypt_ah_newest_file",
        "Number of the newest announcement file; each file published has the next, also after a "
        "restart.",
    ),
    *paylog_metrics(SERVICE),
    gauge("packetcrypt_ah_disk_free_bytes", "Room on the disk of the handler's folder."),
    *sprayer_metrics(_SPRAYER),
)


@dataclass(frozen=True)
class AnnOperations:
    """Reads the parts of one announcement handler."""

    settings: AnnHandlerSettings
    follower: PoolFollower
    checker: Checker
    crediting: Crediting
    intake: Intake
    limit: ClientLimit
    statistics: HandlerStatistics
    storage: Storage
    upload: PayLogUpload
    disk: DiskProbe
    sprayer: RunningSprayer | None

    def checks(self) -> Checks:
        """What /health says."""
        checks = {
            "devices": self._devices(),
            "master": self.follower.contact.check(self.settings.poll_interval),
            "pool": self._pool(),
            "queue": self._queue(),
            "paylogs": self.upload.check(),
            "disk": self.disk.check(Grade.DOWN),
        }
        if self.sprayer is not None:
            is_spraying = self.sprayer.is_spraying
            detail = "it sprays" if is_spraying else "it failed, and nothing is sprayed"
            checks["sprayer"] = Check.of(is_spraying, detail)
        return checks

    def readings(self, http: HttpListeners) -> Readings:
        """What /metrics says."""
        readings: dict[str, Value] = {
            **http_readings(SERVICE, http),
            **self._of_posts(),
            "packetcrypt_ah_devices": len(self.checker.devices),
            "packetcrypt_ah_devices_working": self.checker.working_devices,
            "packetcrypt_ah_master_polls_total": self.follower.contact.counts,
            "packetcrypt_ah_dedup_tables": len(self.storage.tables),
            "packetcrypt_ah_dedup_keys": self.storage.tables.keys,
            "packetcrypt_ah_files_offered": len(self.storage.files.listing.names),
            "packetcrypt_ah_newest_file": self.storage.files.listing.highest,
            **paylog_readings(SERVICE, self.upload),
        }
        if self.follower.state is not None:
            readings["packetcrypt_ah_parent_height"] = self.follower.state.tip.height
        if self.disk.free_bytes is not None:
            readings["packetcrypt_ah_disk_free_bytes"] = self.disk.free_bytes
        if self.sprayer is not None:
            readings |= sprayer_readings(_SPRAYER, self.sprayer)
        return readings

    def _of_posts(self) -> Readings:
        counts = self.statistics
        return {
            "packetcrypt_ah_posts_total": {
                "judged": counts.posts,
                "refused": counts.refused,
                "overloaded": counts.overloaded,
            },
            "packetcrypt_ah_client_limit_total": self.limit.refused,
            "packetcrypt_ah_post_bytes_total": counts.read_bytes,
            "packetcrypt_ah_announcements_total": {
                "accepted": counts.accepted,
                "duplicate": counts.duplicates,
                "invalid": counts.invalid,
                "bad_hash": counts.bad_hash,
                "internal_error": counts.internal_errors,
            },
            "packetcrypt_ah_posts_waiting": self.intake.queued,
            "packetcrypt_ah_clients": self.limit.clients,
            "packetcrypt_ah_checks_total": self.crediting.checked,
            "packetcrypt_ah_batches_failed_total": self.crediting.failed,
        }

    def _devices(self) -> Check:
        working, all_devices = self.checker.working_devices, len(self.checker.devices)
        if not working:
            return Check(Grade.DOWN, "no device can check announcements any more")
        return Check.of(working == all_devices, f"{working} of {all_devices} devices work")

    def _pool(self) -> Check:
        state = self.follower.state
        if not self.follower.contact.answered:
            return Check(Grade.NOT_YET, "the master has not said yet what the pool wants")
        if not self.follower.is_listed:
            return Check(Grade.DOWN, "the master does not list this handler")
        if state is None:
            return Check(Grade.NOT_YET, "what the pool wants is not on the disk yet")
        number = f"handler {state.handler_number} of {state.handler_count}"
        return Check(Grade.GOOD, f"this is {number}, and the tip is block {state.tip.height}")

    def _queue(self) -> Check:
        waiting = f"{self.intake.queued} posts of {self.settings.input_queue_len} wait"
        return Check.of(not self.intake.is_full, waiting)
