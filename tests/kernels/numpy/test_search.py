"""The search against the plain CryptoCycle, over a table of random items."""

import numpy as np
import pytest

from packetcrypt.kernels.interface import FoundAnnouncements
from packetcrypt.kernels.numpy.blake2b import Blake2b
from packetcrypt.kernels.numpy.merkle import MerkleTree
from packetcrypt.kernels.numpy.search import PreparedTables, SearchCancelled, search
from packetcrypt.kernels.numpy.workspace import BATCH, Workspace
from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.announcement import TABLE_SIZE, AnnouncementHeader, dedup_key
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.difficulty import meets

EASY = 0x2000FFFF
EASIEST = 0x207FFFFF
HARD = 0x1C00FFFF


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    return np.random.default_rng(6).integers(0, 2**64, (TABLE_SIZE, 128), np.uint64)


@pytest.fixture(scope="module")
def tree() -> MerkleTree:
    tree = MerkleTree()
    tree.leaf_hashes[:] = np.random.default_rng(7).integers(0, 2**64, (TABLE_SIZE, 8), np.uint64)
    tree.build(Blake2b(1024))
    return tree


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace()


def prepared(table: np.ndarray, tree: MerkleTree, work_bits: int) -> PreparedTables:
    header = AnnouncementHeader(hard_nonce=3, work_bits=work_bits, parent_height=1000)
    return PreparedTables(AnnouncementJob(header, bytes(range(32))), tree.root, table, tree)


def plain_search(tables: PreparedTables, first: int, count: int) -> list[int]:
    """The soft nonces that meet the target."""
    seed = tables.job.search_seed(tables.root)
    nonces = []
    for nonce in range(first, first + count):
        state = cryptocycle.init(seed, nonce)
        for _ in range(4):
            number = cryptocycle.item_number(state) % TABLE_SIZE
            cryptocycle.update(state, tables.table[number].tobytes())
        cryptocycle.final(state)
        if meets(state[:32], tables.job.header.work_bits):
            nonces.append(nonce)
    return nonces


@pytest.mark.parametrize("work_bits", [EASIEST, EASY, HARD])
@pytest.mark.parametrize(
    ("first", "count"), [(0, 1), (1, 100), (2**24 - 100, 100)], ids=["0", "1-100", "last 100"]
)
def test_finds_what_the_plain_search_finds(
    table: np.ndarray,
    tree: MerkleTree,
    workspace: Workspace,
    work_bits: int,
    first: int,
    count: int,
) -> None:
    tables = prepared(table, tree, work_bits)
    found = search(workspace, tables, first, count)
    assert found.soft_nonces.tolist() == plain_search(tables, first, count)


def test_announcements_carry_their_nonces_and_keys(
    table: np.ndarray, tree: MerkleTree, workspace: Workspace
) -> None:
    tables = prepared(table, tree, EASIEST)
    found = search(workspace, tables, 65500, 64)
    assert len(found.keys) > 10
    for announcement, key, nonce in zip(*_parts(found), strict=True):
        data = announcement.tobytes()
        header = AnnouncementHeader.decode(data)
        assert header == tables.job.header.with_soft_nonce(int(nonce))
        assert data[920:984] == tables.root
        assert key == dedup_key(data)


def _parts(found: FoundAnnouncements) -> tuple[np.ndarray, ...]:
    return found.announcements, found.keys, found.soft_nonces


def test_a_whole_batch_equals_its_halves(
    table: np.ndarray, tree: MerkleTree, workspace: Workspace
) -> None:
    tables = prepared(table, tree, EASY)
    whole = search(workspace, tables, 0, BATCH)
    halves = [search(workspace, tables, first, BATCH // 2) for first in (0, BATCH // 2)]
    for part, first_half, second_half in zip(_parts(whole), *map(_parts, halves), strict=True):
        assert (part == np.concatenate([first_half, second_half])).all()


def test_a_checkpoint_ends_the_search(table: np.ndarray, tree: MerkleTree) -> None:
    calls = 0

    def checkpoint() -> None:
        nonlocal calls
        calls += 1
        if calls == 20:
            raise SearchCancelled

    with pytest.raises(SearchCancelled):
        search(Workspace(checkpoint), prepared(table, tree, EASY), 0, BATCH)
    assert calls == 20
