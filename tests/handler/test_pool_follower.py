"""What a handler makes of its master's answers, also of nonsense."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest
from handler_announcements import EASIEST, HARDEST, SIGNED
from handler_master import FIRST_HEIGHT, ChangingMaster, changing_master, made_up_hash
from handler_setup import handler_settings

from packetcrypt.client.master import MasterClient
from packetcrypt.handler.pool_follower import PoolFollower
from packetcrypt.handler.pool_state import PoolState

OTHER = "http://pool.example/other/submit"
MINE = "http://pool.example/ah0/submit"


@dataclass
class _Following:
    """A follower that is polled by the test, and the states that it announced."""

    master: ChangingMaster
    follower: PoolFollower
    announced: list[PoolState] = field(default_factory=list)

    async def poll(self) -> PoolState | None:
        await self.follower.poll()
        return self.follower.state


@pytest.fixture
async def following(tmp_path: Path) -> AsyncIterator[_Following]:
    announced: list[PoolState] = []

    async def on_change(state: PoolState) -> None:
        announced.append(state)

    async with changing_master() as master, aiohttp.ClientSession() as session:
        master.config = replace(master.config, submit_ann_urls=(OTHER, MINE))
        settings = handler_settings(tmp_path, master.config.master_url)
        client = MasterClient(session, master.config.master_url)
        yield _Following(master, PoolFollower(client, settings, on_change), announced)


async def test_the_last_six_blocks_are_tracked_newest_first(following: _Following) -> None:
    state = await following.poll()

    assert state is not None
    assert [parent.height for parent in state.parents] == list(range(1000003, 999997, -1))
    assert state.tip.hash == HARDEST.parent_hash
    assert state.parents[2].signing_key == SIGNED.signing_key


async def test_the_place_in_the_list_is_the_handlers_number(following: _Following) -> None:
    state = await following.poll()

    assert state is not None
    assert (state.handler_number, state.handler_count) == (1, 2)


async def test_a_state_is_announced_once(following: _Following) -> None:
    await following.poll()
    await following.poll()

    assert len(following.announced) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"ann_target": 0x20000FFF},
        {"ann_versions": (1, 2)},
        {"submit_ann_urls": (MINE,)},
    ],
)
async def test_every_change_is_announced(following: _Following, change: dict[str, object]) -> None:
    await following.poll()
    following.master.config = replace(following.master.config, **change)  # type: ignore[arg-type]
    await following.poll()

    assert len(following.announced) == 2


async def test_a_new_tip_is_followed(following: _Following) -> None:
    await following.poll()
    following.master.add_block(made_up_hash(1000004))
    state = await following.poll()

    assert state is not None
    assert [parent.height for parent in state.parents] == list(range(1000004, 999998, -1))


async def test_a_rollback_is_followed(following: _Following) -> None:
    await following.poll()
    following.master.add_block(made_up_hash(1000003, 1), after=EASIEST.parent_hash)
    following.master.add_block(made_up_hash(1000004, 1))
    state = await following.poll()

    assert state is not None
    assert [parent.hash for parent in state.parents[:3]] == [
        made_up_hash(1000004, 1),
        made_up_hash(1000003, 1),
        EASIEST.parent_hash,
    ]


async def test_known_blocks_are_not_asked_for_again(following: _Following) -> None:
    before = await following.poll()
    following.master.blocks.clear()

    assert await following.poll() == before


async def test_a_short_chain_has_fewer_parents(following: _Following) -> None:
    following.master.set_tip(made_up_hash(FIRST_HEIGHT + 1))
    state = await following.poll()

    assert state is not None
    assert [parent.height for parent in state.parents] == [999999, 999998]


async def test_not_being_listed_is_explained_once_a_minute(
    following: _Following, caplog: pytest.LogCaptureFixture
) -> None:
    following.master.config = replace(following.master.config, submit_ann_urls=(OTHER,))

    assert await following.poll() is None
    assert await following.poll() is None
    assert caplog.text.count("does not list this handler") == 1
    assert f"must contain {MINE}" in caplog.text
    assert OTHER in caplog.text


async def test_a_handler_that_was_listed_is_not_ready_without(following: _Following) -> None:
    await following.poll()
    config = following.master.config
    following.master.config = replace(config, submit_ann_urls=())
    without = await following.poll()
    following.master.config = config

    assert without is None
    assert await following.poll() is not None


async def test_the_last_state_survives_a_master_that_is_not_ready(
    following: _Following, caplog: pytest.LogCaptureFixture
) -> None:
    state = await following.poll()
    following.master.is_ready = False

    assert await following.poll() == state
    assert await following.poll() == state
    assert caplog.text.count("is not ready") == 1


async def test_without_a_block_there_is_nothing_to_mine_on(
    following: _Following, caplog: pytest.LogCaptureFixture
) -> None:
    following.master.config = replace(following.master.config, current_height=0)

    assert await following.poll() is None
    assert "wait for the first block" in caplog.text


async def test_a_tip_that_the_master_does_not_know(following: _Following) -> None:
    following.master.config = replace(following.master.config, tip_hash=made_up_hash(5))

    assert await following.poll() is None


async def test_heights_that_disagree_are_refused(
    following: _Following, caplog: pytest.LogCaptureFixture
) -> None:
    following.master.config = replace(following.master.config, current_height=77)

    assert await following.poll() is None
    assert "has height 1000003, but" in caplog.text
