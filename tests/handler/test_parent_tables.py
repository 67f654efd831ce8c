"""Which blocks' announcements are remembered."""

import numpy as np

from packetcrypt.handler.dedup import KeyTable
from packetcrypt.handler.parent_tables import ParentTables
from packetcrypt.handler.pool_state import ParentBlock


def _block(height: int, branch: int = 0) -> ParentBlock:
    return ParentBlock(height, bytes([branch, height]) * 16, None, None)


def _following(*blocks: ParentBlock) -> ParentTables:
    tables = ParentTables()
    tables.follow(blocks)
    return tables


def test_a_followed_block_has_an_empty_table() -> None:
    table = _following(_block(7)).of(_block(7))

    assert table is not None
    assert len(table) == 0


def test_other_blocks_have_none() -> None:
    tables = _following(_block(7))

    assert tables.of(_block(8)) is None
    assert tables.of(_block(7, branch=1)) is None


def test_following_again_keeps_the_table() -> None:
    tables = _following(_block(7))
    table = tables.of(_block(7))
    tables.follow([_block(8), _block(7)])

    assert tables.of(_block(7)) is table


def test_a_replaced_block_loses_its_table() -> None:
    tables = _following(_block(7), _block(8))
    kept = tables.of(_block(7))
    tables.follow([_block(8, branch=1), _block(7)])

    assert tables.of(_block(8)) is None
    assert tables.of(_block(8, branch=1)) is not None
    assert tables.of(_block(7)) is kept


def test_old_heights_are_forgotten() -> None:
    tables = _following(_block(7), _block(8))
    tables.forget_below(8)

    assert tables.of(_block(7)) is None
    assert tables.block_hashes() == {8: _block(8).hash}


def _restored(block_hash: bytes | None) -> ParentTables:
    table = KeyTable()
    table.add(np.array([5], np.uint64))
    tables = ParentTables()
    tables.restore(7, block_hash, table)
    return tables


def test_a_restored_table_is_of_the_recorded_block() -> None:
    tables = _restored(_block(7).hash)
    tables.follow([_block(7)])
    table = tables.of(_block(7))

    assert table is not None
    assert len(table) == 1


def test_a_restored_table_of_another_block_is_dropped() -> None:
    tables = _restored(_block(7, branch=1).hash)
    tables.follow([_block(7)])
    table = tables.of(_block(7))

    assert table is not None
    assert len(table) == 0


def test_without_a_record_a_restored_table_is_kept_to_be_safe() -> None:
    tables = _restored(None)
    tables.follow([_block(7)])
    table = tables.of(_block(7))

    assert table is not None
    assert len(table) == 1
