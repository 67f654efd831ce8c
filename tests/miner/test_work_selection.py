"""Which work a pool's view asks for, and what makes it useless elsewhere."""

from dataclasses import replace
from typing import Any

import pytest
from scripted_pool import ScriptedPool, keyed, made_up_chain

from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.miner.pool_follower import PoolView
from packetcrypt.miner.work_selection import NoWork, select_work, why_useless
from packetcrypt.protocol.pool_messages import BlockInfo

CHAIN = made_up_chain("main", 200_000)
KEY = bytes(range(32))


def view_of(chain: list[BlockInfo] = CHAIN, known: int = 6, **changes: Any) -> PoolView:
    config = replace(ScriptedPool(chain=chain, ann_target=0x2001FFFF).config(), **changes)
    return PoolView(config, tuple(chain[::-1][:known]))


def test_the_tip_is_mined_for() -> None:
    assert select_work(view_of(), None) == AnnouncementWork(
        parent_hash=CHAIN[-1].hash, parent_height=200_000, work_bits=0x2001FFFF
    )


@pytest.mark.parametrize("behind", [0, 1, 5])
def test_the_pool_may_ask_for_an_older_block(behind: int) -> None:
    work = select_work(view_of(mine_old_anns=behind), None)
    assert (work.parent_hash, work.parent_height) == (CHAIN[-1 - behind].hash, 200_000 - behind)


def test_the_miner_may_override_it() -> None:
    assert select_work(view_of(mine_old_anns=3), 0).parent_height == 200_000


def test_the_key_is_that_of_the_parent() -> None:
    chain = [*keyed(CHAIN[:-1], KEY), replace(CHAIN[-1], signing_key=bytes(32))]
    assert select_work(view_of(chain, mine_old_anns=1), None).signing_key == KEY


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (view_of(mine_old_anns=6), "its block 199994, 6 behind the tip, is not known"),
        (view_of(known=0), "its block 200000, 0 behind the tip, is not known"),
        (view_of(ann_target=0), "no announcement can meet its annTarget 0x00000000"),
        (view_of(ann_target=0x20FFFFFF), "no announcement can meet its annTarget 0x20ffffff"),
        (view_of(ann_versions=(2, 3)), r"versions \[2, 3\] only, and this program makes"),
        (view_of(ann_versions=()), r"versions \[\] only"),
    ],
)
def test_no_work_says_why(view: PoolView, reason: str) -> None:
    with pytest.raises(NoWork, match=reason):
        select_work(view, None)


WORK = select_work(view_of(), None)
SIGNED = replace(WORK, signing_key=KEY)


@pytest.mark.parametrize(
    ("work", "view"),
    [
        pytest.param(WORK, view_of(), id="the same"),
        pytest.param(WORK, view_of(ann_target=0x2002FFFF), id="easier there"),
        pytest.param(SIGNED, view_of(keyed(CHAIN, KEY)), id="the same key"),
        pytest.param(WORK, view_of(keyed(CHAIN, bytes(32))), id="a key of zeros is none"),
        pytest.param(
            WORK, view_of([*CHAIN, made_up_chain("main", 200_001)[-1]]), id="a block further"
        ),
    ],
)
def test_useful_elsewhere(work: AnnouncementWork, view: PoolView) -> None:
    assert why_useless(work, view) is None


@pytest.mark.parametrize(
    ("work", "view", "reason"),
    [
        (WORK, view_of(ann_target=0x2001FFFE), "it wants harder announcements"),
        (WORK, view_of(ann_target=0x1F7FFFFF), "it wants harder announcements"),
        (WORK, view_of(made_up_chain("main", 199_999)), "does not know block 200000"),
        (WORK, view_of(made_up_chain("main", 200_006)), "does not know block 200000"),
        (WORK, view_of(made_up_chain("fork", 200_000)), "it is on another chain"),
        (SIGNED, view_of(), "signed with the first pool's key"),
        (SIGNED, view_of(keyed(CHAIN, bytes(31) + b"\1")), "signed with the first pool's key"),
        (WORK, view_of(keyed(CHAIN, KEY)), "pays only for announcements with its own signing key"),
        (WORK, view_of(ann_versions=(2,)), r"takes announcements of versions \[2\] only"),
    ],
)
def test_useless_elsewhere(work: AnnouncementWork, view: PoolView, reason: str) -> None:
    assert reason.replace("\\", "") in str(why_useless(work, view))
