"""How finished announcements wait for the program that takes them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.delivery_queue import DeliveryQueue
from packetcrypt.engine.work import AnnouncementWork


@dataclass(frozen=True)
class AnnouncementBatch:
    """Announcements that one device found for one work.

    announcements : (n, 1024) uint8, complete and encrypted
    keys          : (n,) uint64, their dedup keys: first u64 of H32(announcement) (spec 1 §4)
    work          : what they were mined for; after new work a few batches of the old one still come
    device        : `DeviceInfo.index` of the finder
    """

    announcements: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    work: AnnouncementWork
    device: str

    def __len__(self) -> int:
        return len(self.keys)


class BatchQueue(DeliveryQueue[AnnouncementBatch]):
    """A queue of batches; `limit` is in announcements."""

    def __init__(self, limit: int, dropped: Callable[[AnnouncementBatch], None]) -> None:
        super().__init__(limit, dropped, len)
