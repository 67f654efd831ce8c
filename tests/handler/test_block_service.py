"""A block handler from end to end: real HTTP, real shares, a node that really checks them."""

from pathlib import Path

from block_setup import PAY_TO, block_loopback
from block_shares import mine_share
from pktd_chain import SHARE_TARGET

from packetcrypt.protocol.share_messages import encryptions_of_share, share_event_id


async def test_a_share_is_judged_by_the_node_credited_and_uploaded(tmp_path: Path) -> None:
    async with block_loopback(tmp_path) as pool:
        share = mine_share(pool.work)
        reply = await pool.post(share)

    result = reply.body["result"]
    assert (reply.status, reply.body["warn"], reply.body["error"]) == (200, [], [])
    assert pool.pktd.count("checkpcshare") == 1
    assert pool.pktd.count("submitblock") == 0
    assert pool.events("share") == [result]
    assert result.pop("time") > 0
    assert result == {
        "type": "share",
        "payTo": PAY_TO,
        "block": False,
        "eventId": share_event_id(share.header.encode(), share.proof.low_nonce),
        "target": SHARE_TARGET,
        "annCount": "6",
        "annMinWork": share.commitment.max_target,
        "encryptions": encryptions_of_share(SHARE_TARGET, share.commitment),
    }
