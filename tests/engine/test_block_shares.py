"""Shares: made of finds that the host agrees with, and queued with a bound."""

import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from made_up_blocks import (
    EASIEST,
    PlainHasher,
    block_work,
    made_up,
    mined_set_of,
    verdict,
    whole_tree,
)

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_set import MinedSet, Withdrawn
from packetcrypt.engine.block_shares import (
    Find,
    FoundShare,
    ShareMaker,
    ShareQueue,
    WrongHash,
    WrongTree,
    make_share,
)
from packetcrypt.engine.block_store import AnnouncementStore
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.block_check import BlockCheck
from packetcrypt.protocol.block_hash import block_work_hash
from packetcrypt.protocol.difficulty import meets
from packetcrypt.protocol.errors import DeviceError

HEIGHT = 1000
PATIENCE = 60.0


@pytest.fixture(scope="module")
def store() -> AnnouncementStore:
    store = AnnouncementStore(np.zeros((50, 1024), np.uint8), 50)
    store.add(made_up(50, HEIGHT - 3))
    return store


@pytest.fixture(scope="module")
def mined(store: AnnouncementStore) -> MinedSet:
    return mined_set_of(store)


@pytest.fixture(scope="module")
def candidate(mined: MinedSet) -> BlockCandidate:
    candidate = BlockCandidate.of(block_work(HEIGHT, EASIEST), mined)
    assert candidate is not None
    assert candidate.search_target == EASIEST
    return candidate


def find_of(store: AnnouncementStore, candidate: BlockCandidate, good: bool = True) -> Find:
    """The first hash that meets the target, or does not."""
    header, rows = candidate.header(77), candidate.mined.pinned.rows
    for nonce in range(1000):
        work_hash = block_work_hash(
            header, nonce, lambda number: store.announcement(int(rows[number % len(rows)]))
        ).work_hash
        if meets(work_hash, candidate.search_target) is good:
            return Find(candidate, header, nonce, work_hash, "0:0")
    raise AssertionError("there are such hashes")


def test_a_share_is_what_a_pool_accepts(
    store: AnnouncementStore, candidate: BlockCandidate
) -> None:
    find = find_of(store, candidate)

    share = make_share(store, find)

    assert verdict(share) is BlockCheck.SHARE_OK
    assert share.work is candidate.work
    assert share.header[76:] == (77).to_bytes(4, "little")
    assert share.header[36:68] == candidate.merkle_root
    assert share.work_hash == find.work_hash
    assert not share.is_block


def test_a_block_is_known(store: AnnouncementStore, mined: MinedSet) -> None:
    candidate = BlockCandidate.of(block_work(HEIGHT, EASIEST, bits=EASIEST), mined)
    assert candidate is not None
    share = make_share(store, find_of(store, candidate))
    assert share.is_block
    assert verdict(share) is BlockCheck.OK


def test_a_wrong_hash_is_no_share(store: AnnouncementStore, candidate: BlockCandidate) -> None:
    find = find_of(store, candidate)
    with pytest.raises(WrongHash, match=r"the host [0-9a-f]{64}"):
        make_share(store, replace(find, work_hash=bytes(32)))


def test_a_hash_that_misses_the_target_is_no_share(
    store: AnnouncementStore, candidate: BlockCandidate
) -> None:
    with pytest.raises(WrongHash, match="does not meet the target"):
        make_share(store, find_of(store, candidate, good=False))


@pytest.mark.parametrize("layer", [0, 3])
def test_a_wrong_tree_makes_no_share(store: AnnouncementStore, mined: MinedSet, layer: int) -> None:
    """One that was hashed on from wrong nodes has another root than proofs lead to."""

    class WrongOnce(PlainHasher):
        calls = 0

        def hash_layer(self, hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
            parents = super().hash_layer(hashes, starts, end).copy()
            if self.calls == layer:
                parents[:, 9] ^= 1
            self.calls += 1
            return parents

    tree = whole_tree(store, mined.pinned, WrongOnce())
    candidate = BlockCandidate.of(block_work(HEIGHT), replace(mined, tree=tree))
    assert candidate is not None
    with pytest.raises(WrongTree, match="proof"):
        make_share(store, find_of(store, candidate))


def share_number(number: int, candidate: BlockCandidate, store: AnnouncementStore) -> FoundShare:
    share = make_share(store, find_of(store, candidate))
    return replace(share, device=str(number))


def test_a_full_queue_drops_the_oldest(store: AnnouncementStore, candidate: BlockCandidate) -> None:
    dropped: list[FoundShare] = []
    queue = ShareQueue(2, dropped.append)
    shares = [share_number(number, candidate, store) for number in range(3)]
    for share in shares:
        queue.put(share)
    assert dropped == shares[:1]
    assert [queue.get(), queue.get(), queue.get(timeout=0.01)] == [*shares[1:], None]


def test_a_failed_queue_is_emptied_first(
    store: AnnouncementStore, candidate: BlockCandidate
) -> None:
    queue = ShareQueue(2, lambda share: None)
    queue.put(share_number(0, candidate, store))
    queue.fail(DeviceError("on fire"))
    assert queue.get() is not None
    with pytest.raises(DeviceError, match="on fire"):
        queue.get()
    queue.close()
    assert queue.get() is None


def test_the_maker_lets_go_of_a_find_when_it_is_done(
    store: AnnouncementStore, candidate: BlockCandidate
) -> None:
    """For it holds a set, whose rows are pinned as long."""
    delivered = threading.Semaphore(0)
    maker = ShareMaker(
        store,
        delivered=lambda share: delivered.release(),
        dropped=lambda find: None,
        wrong=lambda find, error: None,
    )
    find = find_of(store, candidate)
    gone = threading.Event()
    weakref.finalize(find, gone.set)

    maker.submit(find)
    del find

    assert delivered.acquire(timeout=PATIENCE)
    assert gone.wait(5)
    maker.close(PATIENCE)


@pytest.mark.parametrize("what", ["keys", "parents"])
def test_a_share_with_forgotten_announcements_is_not_delivered(
    store: AnnouncementStore, mined: MinedSet, what: str
) -> None:
    mined = replace(mined, withdrawn=Withdrawn())
    candidate = BlockCandidate.of(block_work(HEIGHT, EASIEST), mined)
    assert candidate is not None
    find = find_of(store, candidate)
    share = make_share(store, find)
    shares: list[FoundShare] = []
    dropped: list[Find] = []
    if what == "keys":
        mined.withdrawn.add_keys(np.array([dedup_key(share.proof.announcements[3])], np.uint64))
    else:
        mined.withdrawn.add_parents([HEIGHT - 3])
    maker = ShareMaker(store, shares.append, dropped.append, wrong=lambda find, error: None)

    maker.submit(find)
    maker.close(PATIENCE)

    assert (shares, dropped) == ([], [find])


def test_other_announcements_that_are_forgotten_do_not_matter(
    store: AnnouncementStore, mined: MinedSet
) -> None:
    mined = replace(mined, withdrawn=Withdrawn())
    candidate = BlockCandidate.of(block_work(HEIGHT, EASIEST), mined)
    assert candidate is not None
    find = find_of(store, candidate)
    used = [dedup_key(each) for each in make_share(store, find).proof.announcements]
    mined.withdrawn.add_keys(np.setdiff1d(mined.pinned.keys, np.array(used, np.uint64)))
    mined.withdrawn.add_parents([HEIGHT - 4])
    shares: list[FoundShare] = []
    maker = ShareMaker(store, shares.append, lambda find: None, wrong=lambda find, error: None)

    maker.submit(find)
    maker.close(PATIENCE)

    assert [share.work_hash for share in shares] == [find.work_hash]


def test_the_maker_delivers_shares_and_says_what_is_wrong(
    store: AnnouncementStore, candidate: BlockCandidate
) -> None:
    shares: list[FoundShare] = []
    wrongs: list[tuple[Find, DeviceError]] = []
    both = threading.Semaphore(0)
    maker = ShareMaker(
        store,
        delivered=lambda share: (shares.append(share), both.release())[0],
        dropped=lambda find: None,
        wrong=lambda find, error: (wrongs.append((find, error)), both.release())[0],
    )
    find = find_of(store, candidate)
    wrong = replace(find, work_hash=bytes(32))
    maker.submit(wrong)
    maker.submit(find)
    assert both.acquire(timeout=PATIENCE)
    assert both.acquire(timeout=PATIENCE)
    maker.close(PATIENCE)

    assert [share.work_hash for share in shares] == [find.work_hash]
    ((told, error),) = wrongs
    assert told is wrong
    assert isinstance(error, WrongHash)
