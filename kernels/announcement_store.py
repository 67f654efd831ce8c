"""Where a block miner's announcements lie: host memory that every device can read.

Devices that share the host's memory (CPUs) read it in place, at random, four announcements a hash;
so it is page-aligned and in huge pages where the system gives them, because with small ones most of
these reads would miss the TLB too.
"""

import mmap

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.errors import ConfigError


def allocate_store(capacity: int) -> npt.NDArray[np.uint8]:
    """(capacity, 1024) uint8 of zeros, page-aligned. Memory is taken when rows are written first.

    Raises `ConfigError` if the system does not have the address space.
    """
    if capacity < 1:
        raise ConfigError(f"a store of {capacity} announcements holds nothing: give it more memory")
    size = capacity * ANNOUNCEMENT_SIZE
    try:
        memory = mmap.mmap(-1, size)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"{size >> 20} MiB for announcements cannot be had ({error}): give less memory (-m)"
        ) from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.uint8).reshape(capacity, ANNOUNCEMENT_SIZE)
