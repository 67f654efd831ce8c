"""What a master follows of its node. Everything else about it is in test_master.py."""

from dataclasses import replace
from pathlib import Path

import pytest
from pktd_chain import PktdChain

from packetcrypt.pool.node_follower import NodeFollower
from packetcrypt.pool.share_work import SigningKeys, WorkMaker
from packetcrypt.pool.work_files import WorkFiles
from packetcrypt.protocol.block_template import BlockTemplate


class ScriptedNode:
    """Its tip, and the block that its template follows."""

    def __init__(self) -> None:
        self.template = PktdChain().template()
        self.tip = self.template.header.previous_hash

    async def best_block_hash(self) -> bytes:
        return self.tip

    async def block_template(self) -> BlockTemplate:
        return self.template


@pytest.mark.parametrize("behind", [True, False], ids=["a block came between", "one moment"])
async def test_tip_and_template_must_be_of_one_moment(tmp_path: Path, behind: bool) -> None:
    node = ScriptedNode()
    if behind:
        header = replace(node.template.header, previous_hash=b"\x07" * 32)
        node.template = replace(node.template, header=header)
    maker = WorkMaker(ann_target=0x2001FFFF, divisor=4, keys=SigningKeys(""))
    follower = NodeFollower(node, maker, WorkFiles(tmp_path))  # type: ignore[arg-type]
    await follower.poll()
    assert (follower.current is None) == behind
