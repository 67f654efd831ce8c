"""Stand-ins for what a block miner's parts talk to: a store, a checker, announcements, shares."""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_store import AddedAnnouncements
from packetcrypt.kernels.interface import CheckedAnnouncements
from packetcrypt.protocol.announcement import ANNOUNCEMENT_DTYPE
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.block_proof import BlockProof
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.validation import AnnouncementCheck
from packetcrypt.protocol.work_file import BlockWork

BAD_BYTE = 500
"""where `made_announcements` and `ByteChecker` say whether an announcement is invalid"""

Announcements = npt.NDArray[np.uint8]


def made_announcements(count: int, height: int, seed: int = 0, bad: int = 0) -> Announcements:
    """(count, 1024) with real headers and random contents, the first `bad` of them invalid."""
    made = np.random.default_rng([seed, height]).integers(0, 256, (count, 1024), np.uint8)
    header = made.view(ANNOUNCEMENT_DTYPE)[:, 0]
    header["version"] = 1
    header["work_bits"] = 0x207FFFFF
    header["parent_height"] = height
    header["signing_key"] = 0
    made[:, BAD_BYTE] = 0
    made[:bad, BAD_BYTE] = 1
    return made


@dataclass
class SetStore:
    """Keeps announcements in a set of bytes."""

    rows: set[bytes] = field(default_factory=set)
    forgotten: list[int] = field(default_factory=list)

    def knows(self, announcements: Announcements) -> npt.NDArray[np.bool_]:
        return np.array([row.tobytes() in self.rows for row in announcements], np.bool_)

    def add(self, announcements: Announcements) -> AddedAnnouncements:
        before = len(self.rows)
        self.rows |= {row.tobytes() for row in announcements}
        taken = len(self.rows) - before
        return AddedAnnouncements(taken=taken, duplicates=len(announcements) - taken)

    def forget_parents(self, heights: Iterable[int]) -> int:
        self.forgotten += heights
        return 0


@dataclass
class ByteChecker:
    """Calls announcements invalid by their BAD_BYTE, in no time; remembers what it was asked."""

    checked: int = 0
    parents: set[bytes] = field(default_factory=set)
    error: DeviceError | None = None

    def submit(
        self, announcements: Announcements, parent_hashes: npt.NDArray[np.uint8]
    ) -> Future[CheckedAnnouncements]:
        answer: Future[CheckedAnnouncements] = Future()
        if self.error is not None:
            answer.set_exception(self.error)
            return answer
        self.checked += len(announcements)
        self.parents |= {parent.tobytes() for parent in parent_hashes}
        bad = announcements[:, BAD_BYTE].astype(bool)
        results = np.where(bad, AnnouncementCheck.INVAL, AnnouncementCheck.OK).astype(np.uint8)
        count = len(announcements)
        answer.set_result(
            CheckedAnnouncements(
                results, np.zeros((count, 32), np.uint8), np.zeros(count, np.uint64)
            )
        )
        return answer


def made_share(
    low_nonce: int = 0, previous_hash: bytes = bytes(32), *, is_block: bool = False
) -> FoundShare:
    """A share in form; nobody mined it."""
    header = BlockHeader(
        version=0x20000000,
        previous_hash=previous_hash,
        merkle_root=bytes(32),
        time=1,
        bits=0x207FFFFF,
        nonce=0,
    )
    work = BlockWork(
        header=header,
        signing_key=bytes(32),
        share_target=0x207FFFFF,
        ann_target=0x207FFFFF,
        height=200_001,
        coinbase_no_witness=b"",
        merkle_branch=(),
    )
    row = bytes(1024)
    proof = BlockProof(low_nonce, (row, row, row, row), b"")
    return FoundShare(work, header.encode(), bytes(48), proof, bytes(32), is_block, "0:0")
