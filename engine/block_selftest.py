"""Does a device mine blocks right? Asked before its first work.

Known rows stand behind the announcements of every store, where nothing else is written. A device
must see them, hash them and layers over them, and find in sets of them exactly the hashes that the
plain implementation finds (which agrees with the original: tests/vectors/blocks.json).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.kernels.block_interface import BlockKernels, FoundHashes
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import expand, h32

#: Rows of a store that the self-test needs behind the announcements.
TEST_ROWS: Final = 16

_SEED: Final = b"packetcrypt block self-test rows"
_END: Final = (1 << 64) - 1


@dataclass(frozen=True)
class KnownSearch:
    """A search of low nonces `first` to `first` + `count` − 1 whose finds are known.

    rows        : of the test rows, in the order of the set
    low_nonces  : of the finds, ascending
    hashes_hash : H32 of their work hashes joined
    """

    rows: tuple[int, ...]
    header_hash: bytes
    target: int
    first: int
    count: int
    low_nonces: tuple[int, ...]
    hashes_hash: bytes


#: One set in each slot, both searches at a time. Computed with `protocol.block_hash`.
KNOWN_SEARCHES: Final = (
    KnownSearch(
        rows=(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        header_hash=bytes.fromhex(
            "b3c1b185c0443876caea052b2705b179b3eff7fc8df72c70f111a4b89dbf69be"
        ),
        target=0x2007FFFF,
        first=0,
        count=512,
        low_nonces=(12, 14, 163, 192, 209, 230, 262, 311, 361, 411, 415, 428, 464),
        hashes_hash=bytes.fromhex(
            "e521c64af71415d1b8e71b06275f4223f4aa4be2a6f3ce55891194ffcae7ac72"
        ),
    ),
    KnownSearch(
        rows=(9, 2, 11, 4, 5),
        header_hash=bytes.fromhex(
            "b3c1b185c0443876caea052b2705b179b3eff7fc8df72c70f111a4b89dbf69be"
        ),
        target=0x2007FFFF,
        first=4294966784,
        count=512,
        low_nonces=(
            4294966794,
            4294966795,
            4294966899,
            4294966941,
            4294966956,
            4294966987,
            4294967005,
            4294967019,
            4294967031,
            4294967041,
            4294967062,
            4294967076,
            4294967082,
            4294967168,
            4294967185,
            4294967212,
        ),
        hashes_hash=bytes.fromhex(
            "52d0b22e4e6aabf5ad5be5e37a8add95a11de2e85894a15cc26ddcd9a00482f3"
        ),
    ),
)


def write_test_rows(store: npt.NDArray[np.uint8]) -> None:
    """Fill the last rows of a store, (capacity, 1024) uint8, with what the test reads there."""
    store[-TEST_ROWS:] = np.frombuffer(
        b"".join(expand(_SEED, row, ANNOUNCEMENT_SIZE) for row in range(TEST_ROWS)), np.uint8
    ).reshape(TEST_ROWS, ANNOUNCEMENT_SIZE)


def block_self_test(
    kernels: BlockKernels, store: npt.NDArray[np.uint8], device: DeviceInfo
) -> None:
    """Try the kernels on the known rows at the end of their store.

    Raises `DeviceError` naming the device, what differed and the remedy.
    """
    first = len(store) - TEST_ROWS
    kernels.rows_written(first, TEST_ROWS)
    hashes = kernels.hash_rows(first, TEST_ROWS)
    if [row.tobytes() for row in hashes] != [h32(row.tobytes()) for row in store[first:]]:
        raise _failed(device, "it hashes announcements wrongly, or does not see them")
    starts = np.arange(1, TEST_ROWS + 1, dtype=np.uint64) * np.uint64(_END // (TEST_ROWS + 1))
    parents = kernels.hash_layer(hashes, starts, _END)
    if parents.tobytes() != _plain_layer(hashes, starts):
        raise _failed(device, "it hashes a layer of the proof tree wrongly")
    loaded = [
        kernels.load_set(np.array(known.rows, np.uint32) + np.uint32(first), slot)
        for slot, known in enumerate(KNOWN_SEARCHES)
    ]
    launches = [
        kernels.search(one, known.header_hash, known.target, known.first, known.count)
        for one, known in zip(loaded, KNOWN_SEARCHES, strict=True)
    ]
    for known, launch in zip(KNOWN_SEARCHES, launches, strict=True):
        _compare(device, known, launch.result())


def _compare(device: DeviceInfo, known: KnownSearch, found: FoundHashes) -> None:
    low_nonces = tuple(found.low_nonces.tolist())
    if low_nonces != known.low_nonces:
        wrong = sorted(set(low_nonces) ^ set(known.low_nonces))
        raise _failed(
            device,
            f"in a known set it finds {len(low_nonces)} hashes instead of {len(known.low_nonces)}; "
            f"the first low nonces in dispute are {wrong[:5]}",
        )
    if h32(found.work_hashes.tobytes()) != known.hashes_hash:
        raise _failed(device, "the work hashes that it finds in a known set are wrong")


def _plain_layer(hashes: npt.NDArray[np.uint8], starts: npt.NDArray[np.uint64]) -> bytes:
    bounds = [bound.to_bytes(8, "little") for bound in (*starts.tolist(), _END)]
    entries = [row.tobytes() + bounds[i] + bounds[i + 1] for i, row in enumerate(hashes)]
    return b"".join(
        h32(left + right) for left, right in zip(entries[::2], entries[1::2], strict=True)
    )


def _failed(device: DeviceInfo, what: str) -> DeviceError:
    return DeviceError(
        f"device {device} failed its self-test: {what}. Nothing that it computes can be trusted. "
        "Reset any overclocking, update its driver, or leave the device out (--device chooses "
        "others)."
    )
