"""What a block handler shows its operator: whether it can do its job, and its metrics."""

from typing import Final

from packetcrypt.handler.block_follower import BlockFollower
from packetcrypt.handler.block_judging import BlockJudging
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.block_statistics import BlockStatistics
from packetcrypt.handler.block_watch import BlockWatch
from packetcrypt.handler.client_limit import ClientLimit
from packetcrypt.handler.disk_probe import DiskProbe
from packetcrypt.handler.http_metrics import http_metrics, http_readings
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.handler.paylog_metrics import paylog_metrics, paylog_readings
from packetcrypt.handler.paylog_upload import PayLogUpload
from packetcrypt.operations.health import Check, Checks, Grade
from packetcrypt.operations.metrics import Readings, Value, counter, gauge

SERVICE: Final = "bh"

METRICS: Final = (
    *http_metrics(SERVICE),
    counter(
        "packetcrypt_bh_shares_total",
        "Posts of shares, by result: accepted (new, credited), duplicate (credited before), stale "
        "(of another block), invalid (refused unasked), rejected (by the node), failed (for a "
        "fault of this handler or its node) or overloaded (not taken).",
        "result",
    ),
    counter("packetcrypt_bh_blocks_total", "Accepted shares that the node took as blocks."),
    gauge("packetcrypt_bh_queued", "Shares that are judged or wait for it."),
    gauge("packetcrypt_bh_clients", "Known clients that have a share under way."),
    counter(
        "packetcrypt_bh_client_limit_total",
        "Posts not taken because their client had max_waiting_per_client under way; they are among "
        "the overloaded.",
    ),
    gauge("packetcrypt_bh_block_height", "Height of the block that is mined."),
    counter(
        "packetcrypt_bh_node_polls_total",
        "Questions to the node for its tip, by outcome: answered or failed.",
        "outcome",
    ),
    counter(
        "packetcrypt_bh_master_polls_total",
        "Looks at the master, by outcome: answered or failed.",
        "outcome",
    ),
    *paylog_metrics(SERVICE),
    gauge("packetcrypt_bh_disk_free_bytes", "Room on the disk of the handler's folder."),
)


class BlockOperations:
    """Reads one block handler."""

    def __init__(
        self,
        settings: BlockHandlerSettings,
        follower: BlockFollower,
        watch: BlockWatch,
        judging: BlockJudging,
        upload: PayLogUpload,
        disk: DiskProbe,
    ) -> None:
        self._poll_interval = settings.poll_interval
        self._follower = follower
        self._watch = watch
        self._judging = judging
        self._upload = upload
        self._disk = disk

    def checks(self) -> Checks:
        """What /health says."""
        return {
            "node": self._watch.contact.check(self._poll_interval, Grade.DOWN),
            "master": self._follower.contact.check(self._poll_interval),
            "work": self._work(),
            "listed": self._listed(),
            "paylogs": self._upload.check(),
            "disk": self._disk.check(Grade.DOWN),
            "queue": self._queue(),
        }

    def readings(
        self, statistics: BlockStatistics, clients: ClientLimit, http: HttpListeners
    ) -> Readings:
        """What /metrics says."""
        readings: dict[str, Value] = {
            **http_readings(SERVICE, http),
            "packetcrypt_bh_shares_total": {
                "accepted": statistics.accepted,
                "duplicate": statistics.duplicates,
                "stale": statistics.stale,
                "invalid": statistics.invalid,
                "rejected": statistics.rejected,
                "failed": statistics.failed,
                "overloaded": statistics.overloaded,
            },
            "packetcrypt_bh_blocks_total": statistics.blocks,
            "packetcrypt_bh_queued": self._judging.queued,
            "packetcrypt_bh_clients": clients.clients,
            "packetcrypt_bh_client_limit_total": clients.refused,
            "packetcrypt_bh_node_polls_total": self._watch.contact.counts,
            "packetcrypt_bh_master_polls_total": self._follower.contact.counts,
            **paylog_readings(SERVICE, self._upload),
        }
        if self._follower.state is not None:
            readings["packetcrypt_bh_block_height"] = self._follower.state.work.height
        if self._disk.free_bytes is not None:
            readings["packetcrypt_bh_disk_free_bytes"] = self._disk.free_bytes
        return readings

    def _work(self) -> Check:
        state = self._follower.state
        if state is None:
            return Check(Grade.NOT_YET, "the master has not given work yet")
        return Check(Grade.GOOD, f"shares of block {state.work.height} are taken")

    def _listed(self) -> Check:
        listed = self._follower.is_listed
        if listed is None:
            return Check(Grade.NOT_YET, "the master has not said yet whom it lists")
        if not listed:
            return Check(Grade.DOWN, "the master does not list this handler: no miner comes")
        return Check(Grade.GOOD, "the master lists this handler")

    def _queue(self) -> Check:
        queued, room = self._judging.queued, self._judging.room
        return Check.of(queued < room, f"{queued} of {room} shares are judged or wait for it")
