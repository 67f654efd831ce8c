"""What a master makes of a node's template."""

import hashlib

import pytest
from pktd_chain import PktdChain

from packetcrypt.pool.share_work import SigningKeys, WorkMaker, share_target
from packetcrypt.protocol.announcement_signature import public_key
from packetcrypt.protocol.difficulty import work_of_compact


@pytest.mark.parametrize(
    ("block_target", "divisor", "expected"),
    [
        (0x1E0FFFFF, 1, 0x1E0FFFFF),
        (0x1E0FFFFF, 4, 0x1E3FFFFC),
        (0x1C0FFFFF, 64, 0x1D03FFFF),
        (0x207FFFFF, 4, 0x207FFFFF),
    ],
)
def test_a_share_has_a_part_of_the_blocks_work(
    block_target: int, divisor: int, expected: int
) -> None:
    target = share_target(block_target, divisor)
    assert work_of_compact(target) == pytest.approx(work_of_compact(expected), rel=1e-4)
    assert target <= 0x207FFFFF


def test_work_follows_the_template() -> None:
    template = PktdChain().template()
    published = WorkMaker(0x2001FFFF, 4, SigningKeys("")).make(template)
    work = published.work
    assert published.template is template
    assert (work.header, work.height) == (template.header, template.height)
    assert work.coinbase_no_witness == template.coinbase_no_witness
    assert work.merkle_branch == template.merkle_branch
    assert (work.ann_target, work.signing_key) == (0x2001FFFF, bytes(32))
    assert work.share_target == share_target(template.header.bits, 4)


def test_keys_follow_from_the_seed_and_the_height_after_the_parent() -> None:
    keys = SigningKeys("a long word")
    seed = hashlib.sha256(b"a long word" + (1001).to_bytes(4, "little")).digest()
    assert keys.key_of_parent(1000) == public_key(seed)
    template = PktdChain().template()
    work = WorkMaker(0x2001FFFF, 4, keys).make(template).work
    assert work.signing_key == keys.key_of_parent(template.height)


def test_a_pool_without_a_seed_does_not_sign() -> None:
    assert SigningKeys("").key_of_parent(1000) is None
    assert "a long word" not in repr(SigningKeys("a long word"))
