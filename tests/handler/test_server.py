"""POST /submit over real HTTP."""

from pathlib import Path

from handler_announcements import UNSIGNED
from handler_setup import loopback


async def test_good_announcements_are_accepted_and_counted(tmp_path: Path) -> None:
    async with loopback(tmp_path) as pool:
        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)
        print(reply)
        assert reply.status == 200
        assert reply.counts == (3, 0, 0, 0)
