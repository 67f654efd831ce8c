"""The block engine as embedders use it, on real devices."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from block_engine_parts import (
    HEIGHT,
    MEMORY_MB,
    NOW_AND_THEN,
    altered,
    always_pocl,
    take,
    wait_for_state,
    wait_until,
)
from made_up_blocks import EASIEST, block_work, made_up, mined_set_of, verdict
from vector_files import load_vectors

from packetcrypt.engine.block_candidate import BlockCandidate
from packetcrypt.engine.block_engine import BlockEngine
from packetcrypt.engine.block_shares import FoundShare
from packetcrypt.engine.block_store import AnnouncementStore
from packetcrypt.engine.device_info import numpy_device
from packetcrypt.engine.job_runner import mine_job
from packetcrypt.engine.opening import open_block_kernels
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.kernels.block_interface import BlockKernels, BlockLaunch
from packetcrypt.kernels.interface import AnnouncementKernels
from packetcrypt.protocol.announcement import AnnouncementHeader, dedup_key
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.block_check import BlockCheck, check_block
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.errors import ConfigError, DecodeError


def wait_for_set(engine: BlockEngine, count: int) -> None:
    wait_until(engine, lambda now: now.mined is not None and now.mined.count == count)


@pytest.fixture(scope="module")
def real_announcements(pocl_kernels: AnnouncementKernels) -> dict[bytes, bytes]:
    """The 180 announcements that the original's blocks were mined with, and their parent hashes."""
    jobs = load_vectors("ann_jobs")["jobs"]
    parents: dict[bytes, bytes] = {}
    for case in (jobs[0], jobs[1], jobs[3]):
        header = AnnouncementHeader(
            hard_nonce=case["hard_nonce"],
            work_bits=int(case["work_bits"], 16),
            parent_height=case["parent_block_height"],
            content_type=case["content_type"],
            content_length=case["content_length"],
            signing_key=bytes.fromhex(case["signing_key"]),
        )
        parent_hash = bytes.fromhex(case["parent_block_hash"])
        job = AnnouncementJob(header, parent_hash)
        mined = mine_job(pocl_kernels, job, 0, case["soft_nonces_first"][59])
        assert len(mined) == 60
        parents.update((row.tobytes(), parent_hash) for row in mined)
    return parents


@pytest.fixture
def numpy_block_kernels() -> Iterator[BlockKernels]:
    store = np.zeros((1, 1024), np.uint8)
    with closing(open_block_kernels(numpy_device(), store, 1)) as kernels:
        yield kernels


@pytest.mark.parametrize("device", ["cpu", "numpy"])
def test_real_announcements_make_shares_that_pass_every_check(
    device: str, real_announcements: dict[bytes, bytes]
) -> None:
    announcements = np.frombuffer(b"".join(real_announcements), np.uint8).reshape(-1, 1024)
    work = block_work(HEIGHT, NOW_AND_THEN)
    with BlockEngine(device, memory_mb=MEMORY_MB) as engine:
        assert engine.add(announcements).taken == 180
        engine.start(work)
        share = take(engine)

    assert share.work is work
    # 59 of the 60 of difficulty 256 make a hash worth more than all 180: others are worth 16 by now
    assert BlockCommitment.decode(share.commitment).count == 59
    checked = check_block(
        share.header,
        share.commitment,
        share.proof,
        HEIGHT,
        work.share_target,
        [real_announcements[announcement] for announcement in share.proof.announcements],
    )
    assert checked.result is BlockCheck.SHARE_OK
    assert checked.work_hash == share.work_hash
    assert not share.is_block


def test_the_original_commits_to_the_same_tree(
    real_announcements: dict[bytes, bytes], numpy_block_kernels: BlockKernels
) -> None:
    """Its blocks of tests/vectors were mined with all 180, which is not the best set of them."""
    store = AnnouncementStore(np.zeros((180, 1024), np.uint8), 180)
    store.add(np.frombuffer(b"".join(real_announcements), np.uint8).reshape(-1, 1024))
    mined = mined_set_of(store, numpy_block_kernels)
    candidate = BlockCandidate.of(block_work(HEIGHT), mined)
    assert candidate is not None
    assert candidate.commitment.hex() == load_vectors("blocks")[0]["coinbase_commit"]


def test_blocks_are_told_from_shares() -> None:
    with BlockEngine("cpu", memory_mb=MEMORY_MB) as engine:
        engine.add(made_up(5, HEIGHT - 3, EASIEST))
        engine.start(block_work(HEIGHT, NOW_AND_THEN, bits=NOW_AND_THEN))
        share = take(engine)
    assert share.is_block
    assert verdict(share) is BlockCheck.OK


def test_announcements_that_come_later_are_mined_with_too() -> None:
    with BlockEngine("cpu", memory_mb=MEMORY_MB) as engine:
        engine.start(block_work(HEIGHT, 0x1F00FFFF))
        engine.add(made_up(101, HEIGHT - 3))
        assert BlockCommitment.decode(take(engine).commitment).count == 101
        engine.add(made_up(1000, HEIGHT - 4))
        while BlockCommitment.decode((share := take(engine)).commitment).count == 101:
            pass
        (device,) = engine.statistics().devices

    assert BlockCommitment.decode(share.commitment).count == 1101
    assert verdict(share) is BlockCheck.SHARE_OK
    assert device.trees == 2


def test_mining_goes_on_while_the_next_tree_is_built() -> None:
    """Between the layers of the second tree the device begins launches with the first set."""
    launches_before_layers: list[int] = []

    def count_launches(kernels: BlockKernels) -> None:
        hash_layer = kernels.hash_layer
        launches = 0
        search = kernels.search

        def counting(*args: object) -> BlockLaunch:
            nonlocal launches
            launches += 1
            return search(*args)  # type: ignore[arg-type]

        def noting(hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
            launches_before_layers.append(launches)
            return hash_layer(hashes, starts, end)

        kernels.search = counting  # type: ignore[assignment, method-assign]
        kernels.hash_layer = noting  # type: ignore[method-assign]

    with (
        pytest.MonkeyPatch.context() as patch,
        BlockEngine("cpu", memory_mb=MEMORY_MB, opener=altered(count_launches)) as engine,
    ):
        patch.setattr("packetcrypt.engine.block_worker._LEAST_TURN_S", 0.0)
        patch.setattr("packetcrypt.engine.block_worker._TREE_SHARE", 0.0)
        patch.setattr("packetcrypt.engine.block_tree._STEP_NODES", 64)
        engine.add(made_up(101, HEIGHT - 3))
        engine.start(block_work(HEIGHT, 0x1C00FFFF))
        wait_for_set(engine, 101)
        wait_until(engine, lambda now: now.hashes > 0)
        built = len(launches_before_layers)
        engine.add(made_up(1000, HEIGHT - 3, seed=1))
        wait_for_set(engine, 1101)
    during = launches_before_layers[built:]
    assert during[-1] > during[0]


def test_new_work_of_the_next_height_is_mined_with_the_same_set() -> None:
    with BlockEngine("cpu", memory_mb=MEMORY_MB) as engine:
        engine.add(made_up(100, HEIGHT - 3))
        engine.start(block_work(HEIGHT, NOW_AND_THEN))
        take(engine)
        following = block_work(HEIGHT + 1, NOW_AND_THEN)
        engine.start(following)
        while (share := take(engine)).work is not following:
            pass
        (device,) = engine.statistics().devices
    assert verdict(share) is BlockCheck.SHARE_OK
    assert device.trees == 1


def test_no_header_nonce_comes_twice() -> None:
    work, other = block_work(HEIGHT, NOW_AND_THEN), block_work(HEIGHT + 1, NOW_AND_THEN)
    nonces = []
    with BlockEngine(["cpu", "numpy"], memory_mb=MEMORY_MB, opener=always_pocl()) as engine:
        engine.add(made_up(100, HEIGHT - 3))
        for each in (work, other, work):
            engine.start(each)
            devices: dict[str, FoundShare] = {}
            while len(devices) < 2:
                share = take(engine)
                if share.work is each:
                    devices.setdefault(share.device, share)
            nonces += [share.header[76:] for share in devices.values()]
            engine.pause()
            wait_for_state(engine, DeviceState.IDLE)
            while engine.get(0.05) is not None:
                pass
    assert len(set(nonces)) == 6


def test_a_pause_stops_and_a_start_goes_on() -> None:
    work = block_work(HEIGHT, NOW_AND_THEN)
    with BlockEngine("cpu", memory_mb=MEMORY_MB) as engine:
        engine.add(made_up(100, HEIGHT - 3))
        engine.start(work)
        take(engine)
        engine.pause()
        wait_for_state(engine, DeviceState.IDLE)
        before = engine.statistics()
        assert before.mined is None
        while engine.get(0.2) is not None:
            pass
        assert engine.statistics().hashes == before.hashes
        engine.start(work)
        take(engine)


def test_statistics_count_what_was_done() -> None:
    with BlockEngine("cpu", memory_mb=MEMORY_MB) as engine:
        before = engine.statistics()
        assert before.devices[0].state is DeviceState.STARTING
        assert (before.store.capacity, before.store.free) == (1638, 1638)
        engine.add(made_up(101, HEIGHT - 3))
        engine.start(block_work(HEIGHT, NOW_AND_THEN))
        take(engine)
        after = wait_until(engine, lambda now: now.hashes > 0)

    (device,) = after.devices
    assert device.shares >= 1
    assert device.trees == 1
    assert after.store.free == 1537
    assert list(after.store.classes.values()) == [101]
    assert after.store.count == 101
    assert after.mined is not None
    assert after.mined.count == 101
    assert after.mined.share_target > after.mined.block_target
    assert after.rates_since(before).hashes_per_second > 0


def test_forgotten_announcements_are_not_mined_with_any_more() -> None:
    announcements = made_up(101, HEIGHT - 3)
    with BlockEngine("cpu", memory_mb=MEMORY_MB) as engine:
        engine.add(announcements)
        engine.start(block_work(HEIGHT, NOW_AND_THEN))
        bad = take(engine).proof.announcements[0]
        assert engine.forget(np.array([dedup_key(bad)], np.uint64)) == 1
        while BlockCommitment.decode((share := take(engine)).commitment).count == 101:
            pass
    assert BlockCommitment.decode(share.commitment).count == 99  # of the 100 that are left
    assert bad not in share.proof.announcements


def test_a_tree_that_nobody_wants_any_more_is_not_finished() -> None:
    def forget_in_the_middle(kernels: BlockKernels) -> None:
        hash_layer = kernels.hash_layer

        def forgetting(hashes: np.ndarray, starts: np.ndarray, end: int) -> np.ndarray:
            if len(hashes) == 100:  # of the first tree
                engine.forget_parents([HEIGHT - 4])
            return hash_layer(hashes, starts, end)

        kernels.hash_layer = forgetting  # type: ignore[method-assign]

    with (
        pytest.MonkeyPatch.context() as patch,
        BlockEngine("cpu", memory_mb=MEMORY_MB, opener=altered(forget_in_the_middle)) as engine,
    ):
        patch.setattr("packetcrypt.engine.block_worker._LEAST_TURN_S", 0.0)
        engine.add(np.concatenate([made_up(59, HEIGHT - 3), made_up(40, HEIGHT - 4)]))
        engine.start(block_work(HEIGHT, NOW_AND_THEN))
        share = take(engine)
        (device,) = engine.statistics().devices
    assert BlockCommitment.decode(share.commitment).count == 59
    assert device.trees == 1


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"memory_mb": 0}, "hold no announcements"),
        ({"threads": 0}, "threads"),
        ({"min_free": 1.0}, "no part of the memory"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        BlockEngine("numpy", **settings)  # type: ignore[arg-type]


def test_arrays_of_another_shape_are_refused() -> None:
    with BlockEngine("numpy", memory_mb=MEMORY_MB) as engine, pytest.raises(DecodeError):
        engine.add(np.zeros((3, 1023), np.uint8))
