"""What a master shows its operator: whether it can do its job, and its metrics."""

import time
from typing import Final

from packetcrypt.handler.disk_probe import DiskProbe
from packetcrypt.handler.http_metrics import http_metrics, http_readings
from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.operations.health import Check, Checks, Grade
from packetcrypt.operations.metrics import Readings, Value, counter, gauge
from packetcrypt.pool.master_server import MasterServer
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.node_follower import NodeFollower

SERVICE: Final = "master"

METRICS: Final = (
    *http_metrics(SERVICE),
    gauge("packetcrypt_master_block_height", "Height of the block that is mined."),
    gauge(
        "packetcrypt_master_work_timestamp_seconds",
        "When the current work was published, since 1970.",
    ),
    counter("packetcrypt_master_works_published_total", "Works published."),
    counter(
        "packetcrypt_master_node_polls_total",
        "Questions to the node for a new block, by outcome: answered or failed.",
        "outcome",
    ),
    gauge("packetcrypt_master_long_polls", "Requests that wait for the next block's work."),
    gauge("packetcrypt_master_disk_free_bytes", "Room on the disk of the master's folder."),
)


class MasterOperations:
    """Reads one master."""

    def __init__(self, settings: MasterSettings, follower: NodeFollower, disk: DiskProbe) -> None:
        self._poll_interval = settings.poll_interval
        self._follower = follower
        self._disk = disk

    def checks(self) -> Checks:
        """What /health says."""
        return {
            "node": self._follower.contact.check(self._poll_interval),
            "work": self._work(),
            "disk": self._disk.check(Grade.TROUBLE),
        }

    def readings(self, server: MasterServer, http: HttpListeners) -> Readings:
        """What /metrics says."""
        follower = self._follower
        readings: dict[str, Value] = {
            **http_readings(SERVICE, http),
            "packetcrypt_master_works_published_total": follower.published,
            "packetcrypt_master_node_polls_total": follower.contact.counts,
            "packetcrypt_master_long_polls": server.waiting,
        }
        if follower.current is not None:
            readings["packetcrypt_master_block_height"] = follower.current.height
            readings["packetcrypt_master_work_timestamp_seconds"] = follower.current_since
        if self._disk.free_bytes is not None:
            readings["packetcrypt_master_disk_free_bytes"] = self._disk.free_bytes
        return readings

    def _work(self) -> Check:
        current = self._follower.current
        if current is None:
            return Check(Grade.NOT_YET, "the node has not given work yet")
        if self._follower.is_behind:
            return Check(Grade.DOWN, "work for a newer block cannot be stored")
        age = time.time() - self._follower.current_since
        return Check(Grade.GOOD, f"block {current.height} is mined, for {age:.0f} s")
