"""Floor 4: devices, scheduling, self-test and statistics; what embedders import."""

from packetcrypt.engine.announcement_checker import AnnouncementChecker
from packetcrypt.engine.announcement_engine import AnnouncementEngine
from packetcrypt.engine.batches import AnnouncementBatch
from packetcrypt.engine.block_engine import BlockEngine
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_store import AddedAnnouncements
from packetcrypt.engine.check_requests import CheckerOverloaded
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.devices import discover_devices, select_devices
from packetcrypt.engine.work import AnnouncementWork

__all__ = [
    "AddedAnnouncements",
    "AnnouncementBatch",
    "AnnouncementChecker",
    "AnnouncementEngine",
    "AnnouncementWork",
    "BlockEngine",
    "CheckerOverloaded",
    "DeviceInfo",
    "DeviceKind",
    "FoundShare",
    "discover_devices",
    "select_devices",
]
