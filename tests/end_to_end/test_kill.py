"""kill -9 of every service of a running pool, once: it goes on, and everybody gets what he earned.

`make soak` does the same for long, with the node away as well.
"""

from pathlib import Path

from soak import SERVICES, Plan, run


async def test_every_service_is_killed_once(tmp_path: Path) -> None:
    plan = Plan(kills=len(SERVICES), seed=7, pauses=(0.5, 4.0), away=0.0, block_seconds=10.0)

    outcome = await run(tmp_path, plan)

    assert outcome.wrong == [], (tmp_path / "devnet.log").read_text()[-20_000:]
    assert set(outcome.kills) == set(SERVICES)
    assert outcome.counts["posts"] > 0
    assert outcome.counts["shares"] > 0
    assert outcome.counts["blocks"] > 0
