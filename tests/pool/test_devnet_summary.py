"""How a devnet sums up, for programs and for people."""

from packetcrypt.pool.devnet_chain import MinedBlock
from packetcrypt.pool.devnet_settings import ANNOUNCEMENT_MINER, BLOCK_MINER, DEFAULT_ADDRESS
from packetcrypt.pool.devnet_summary import Summary, WorkCounts

FIRST = MinedBlock(1_000_001, bytes(range(32)), {DEFAULT_ADDRESS: 1.0})
SECOND = MinedBlock(1_000_002, bytes(range(1, 33)), {ANNOUNCEMENT_MINER: 0.75, "pkt1other": 0.25})
SUMMARY = Summary((FIRST, SECOND), {FIRST.hash: BLOCK_MINER}, WorkCounts(2048, 3), WorkCounts(9, 1))


def test_for_programs() -> None:
    first = {"height": 1_000_001, "hash": bytes(range(31, -1, -1)).hex()}
    second = {"height": 1_000_002, "hash": bytes(range(32, 0, -1)).hex()}
    assert SUMMARY.as_json() == {
        "blocks": [{**first, "finder": BLOCK_MINER}, {**second, "finder": None}],
        "announcements": {"accepted": 2048, "rejected": 3},
        "shares": {"accepted": 9, "rejected": 1},
        "payouts": [
            {**first, "paid": {DEFAULT_ADDRESS: 1.0}},
            {**second, "paid": {ANNOUNCEMENT_MINER: 0.75, "pkt1other": 0.25}},
        ],
    }


def test_for_people() -> None:
    assert (
        SUMMARY.text()
        == f"""\
announcements  2048 accepted, 3 rejected
shares         9 accepted, 1 rejected
blocks         2
  1000001 1f1e1d1c1b1a1918…  found by {BLOCK_MINER} (block miner)
    100.00%  {DEFAULT_ADDRESS} (default address)
  1000002 201f1e1d1c1b1a19…  found by nobody known
     75.00%  {ANNOUNCEMENT_MINER} (announcement miner)
     25.00%  pkt1other"""
    )
