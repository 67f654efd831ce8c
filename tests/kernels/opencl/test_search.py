"""The nonce search and its finishing in OpenCL against protocol/, on made-up tables and trees.

Table and tree are random bytes: neither kernel looks at how they were made.
"""

import hashlib
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pytest

from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.finish import AnnouncementFinish, LaunchBuffers
from packetcrypt.kernels.opencl.search import BatchedSearch, target_words
from packetcrypt.kernels.opencl.search_launch import OpenCLLaunch
from packetcrypt.kernels.opencl.staged_search import StagedSearch
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.difficulty import compact_to_target, meets
from packetcrypt.protocol.primitives import expand

SEED = hashlib.blake2b(b"search seed", digest_size=32).digest()
HEADER = AnnouncementHeader(
    soft_nonce=0,
    hard_nonce=0x01020304,
    work_bits=0x207FFFFF,
    parent_height=5,
    content_type=6,
    content_length=7,
    content_hash=bytes(range(32)),
    signing_key=bytes(range(32, 64)),
)
TABLE = np.random.default_rng(1).integers(0, 256, (8192, 1024), dtype=np.uint8)
TREE = np.random.default_rng(2).integers(0, 256, (16383, 64), dtype=np.uint8)


#: More than the eager copy takes, and fewer than the soft nonces below.
CAPACITY = 400


class Search:
    """Search and finishing on the made-up table and tree."""

    def __init__(self, lanes: int) -> None:
        device = cl.get_platforms()[0].get_devices()[0]
        self.context = DeviceContext(device, lanes=lanes)
        self._search = (
            StagedSearch(self.context, Tuning(1, work_items=96, group_size=32))
            if lanes == 1
            else BatchedSearch(self.context, Tuning(40, work_items=2))
        )
        self._finish = AnnouncementFinish(self.context)
        self._launch = LaunchBuffers(self.context, CAPACITY)
        self._keystream = self._upload(np.frombuffer(expand(SEED, 0, 2048), np.uint8))
        self._header = self._upload(np.frombuffer(HEADER.encode(), np.uint8))
        self._table = self._upload(TABLE)
        self._tree = self._upload(TREE)

    def _upload(self, data: npt.NDArray[np.uint8]) -> cl.Buffer:
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        return cl.Buffer(self.context.context, flags, hostbuf=data)

    def find(self, nonces: range, bits: int, capacity: int | None = None) -> FoundAnnouncements:
        """What a launch finds, with room for `capacity` finds."""
        launch = self._launch if capacity is None else LaunchBuffers(self.context, capacity)

        def enqueue(nonces: range, launch: LaunchBuffers) -> list[cl.Event]:
            self.enqueued.append(nonces)
            self._search.enqueue(
                self._keystream,
                self._table,
                nonces,
                compact_to_target(bits),
                launch.progress,
                launch.finds,
                launch.capacity,
            )
            return self._finish.enqueue(self._header, self._tree, launch)

        self.enqueued: list[range] = []
        free = deque([launch])
        found = OpenCLLaunch(self.context, self._finish, enqueue, nonces, free).result()
        assert list(free) == [launch]
        return found


@pytest.fixture(scope="module", params=[16, 1], ids=["batches", "stages"])
def search(request: pytest.FixtureRequest) -> Search:
    return Search(request.param)


@dataclass(frozen=True)
class PlainState:
    """The end of one nonce's path, by protocol/."""

    state: bytes
    item: int

    @property
    def work_hash(self) -> bytes:
        return self.state[:32]


def plain_state(nonce: int) -> PlainState:
    state = cryptocycle.init(SEED, nonce)
    item = 0
    for _ in range(4):
        item = cryptocycle.item_number(state) % 8192
        cryptocycle.update(state, TABLE[item].tobytes())
    cryptocycle.final(state)
    return PlainState(bytes(state), item)


PLAIN = [plain_state(nonce) for nonce in range(600)]


def plain_announcement(nonce: int) -> bytes:
    end = PLAIN[nonce]
    siblings, node, row = [], end.item, 0
    for level in range(13):
        siblings.append(TREE[row + (node ^ 1)].tobytes())
        row += 8192 >> level
        node >>= 1
    clear = b"".join(siblings) + bytes(40)
    sealed = bytes(a ^ b for a, b in zip(clear, end.state, strict=False))
    header = HEADER.with_soft_nonce(nonce).encode()
    return header + sealed[:832] + TREE[16382].tobytes() + sealed[832:]


@pytest.mark.parametrize("bits", [0x207FFFFF, 0x200FFFFF, 0x2001FFFF, 0x20000001])
def test_finds_are_those_that_meet_the_target(search: Search, bits: int) -> None:
    found = search.find(range(600), bits)

    expected = [n for n in range(600) if meets(PLAIN[n].work_hash, bits)]
    assert found.soft_nonces.tolist() == expected


def test_finds_are_finished_as_announcements(search: Search) -> None:
    """More finds than the eager copy takes, so both ways to the host are used."""
    found = search.find(range(600), 0x207FFFFF)

    expected = [plain_announcement(int(n)) for n in found.soft_nonces]
    assert [row.tobytes() for row in found.announcements] == expected
    assert found.keys.tolist() == [dedup_key(ann) for ann in expected]


@pytest.mark.parametrize("nonces", [range(1), range(7, 8), range(37, 100), range(599, 600)])
def test_a_launch_may_begin_anywhere_and_have_any_length(search: Search, nonces: range) -> None:
    found = search.find(nonces, 0x207FFFFF)

    expected = [n for n in nonces if meets(PLAIN[n].work_hash, 0x207FFFFF)]
    assert found.soft_nonces.tolist() == expected


def test_finds_for_which_there_was_no_room_are_searched_again(search: Search) -> None:
    found = search.find(range(37, 400), 0x207FFFFF, capacity=100)

    expected = [n for n in range(37, 400) if meets(PLAIN[n].work_hash, 0x207FFFFF)]
    assert len(expected) > 100
    assert found.soft_nonces.tolist() == expected
    assert [row.tobytes() for row in found.announcements] == [
        plain_announcement(n) for n in expected
    ]
    assert search.enqueued == [
        range(37, 400),
        *(range(37, 137), range(137, 237), range(237, 337), range(337, 400)),
    ]


def test_as_many_finds_as_there_is_room_for_are_kept(search: Search) -> None:
    expected = [n for n in range(300) if meets(PLAIN[n].work_hash, 0x207FFFFF)]

    found = search.find(range(300), 0x207FFFFF, capacity=len(expected))

    assert found.soft_nonces.tolist() == expected
    assert search.enqueued == [range(300)]


def test_nothing_found_is_an_empty_result(search: Search) -> None:
    found = search.find(range(100), 0x10000001)

    assert found.announcements.shape == (0, 1024)
    assert found.keys.shape == (0,)


def test_target_words_are_little_endian() -> None:
    words = target_words((4 << 192) | (3 << 128) | (2 << 64) | 1)
    assert words.tolist() == [1, 2, 3, 4]


def test_a_target_of_more_than_256_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="256-bit"):
        target_words(1 << 256)
