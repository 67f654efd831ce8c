"""Which announcements are worth mining, and for which further pools they are useless.

The first pool decides: its target, its parent block and its signing key (spec 2 "Miner behaviour").
"""

from packetcrypt.engine.work import AnnouncementWork
from packetcrypt.miner.pool_follower import PoolView
from packetcrypt.protocol.difficulty import compact_to_target, min_ann_target_ok
from packetcrypt.protocol.pool_messages import ANNOUNCEMENT_VERSION

UNSIGNED = bytes(32)


class NoWork(Exception):
    """There is nothing that can be mined for the first pool now; the message says why."""


def select_work(view: PoolView, mine_old_anns: int | None) -> AnnouncementWork:
    """The work that the first pool wants, `mine_old_anns` blocks behind its tip if given.

    Raises `NoWork` if the pool wants what no miner can do or did not tell enough.
    """
    config = view.config
    if ANNOUNCEMENT_VERSION not in config.ann_versions:
        raise NoWork(
            f"it takes announcements of versions {list(config.ann_versions)} only, "
            f"and this program makes version {ANNOUNCEMENT_VERSION}"
        )
    if not min_ann_target_ok(config.ann_target):
        raise NoWork(f"no announcement can meet its annTarget {config.ann_target:#010x}")
    behind = config.mine_old_anns if mine_old_anns is None else mine_old_anns
    height = view.tip_height - behind
    parent = view.block_at(height)
    if parent is None:
        raise NoWork(f"its block {height}, {behind} behind the tip, is not known")
    return AnnouncementWork(
        parent_hash=parent.hash,
        parent_height=parent.height,
        work_bits=config.ann_target,
        signing_key=parent.signing_key or UNSIGNED,
    )


def why_useless(work: AnnouncementWork, view: PoolView) -> str | None:
    """Why a further pool gives nothing for any announcement of this work; None if it does.

    The rules are those by which a handler checks (spec 2 "Checks") and the paymaker credits.
    """
    config = view.config
    if ANNOUNCEMENT_VERSION not in config.ann_versions:
        return f"it takes announcements of versions {list(config.ann_versions)} only"
    if compact_to_target(config.ann_target) < compact_to_target(work.work_bits):
        return (
            f"it wants harder announcements (annTarget {config.ann_target:#010x}) than the first "
            f"pool ({work.work_bits:#010x}). Put the pool with the hardest announcements first"
        )
    parent = view.block_at(work.parent_height)
    if parent is None:
        return (
            f"it does not know block {work.parent_height}, which is mined for; "
            f"its tip is block {view.tip_height}"
        )
    if parent.hash != work.parent_hash:
        return f"it is on another chain: its block {parent.height} is another one"
    wanted_key = parent.signing_key or UNSIGNED
    if work.signing_key not in (wanted_key, UNSIGNED):
        return "they are signed with the first pool's key, which it does not take"
    if wanted_key != UNSIGNED and work.signing_key == UNSIGNED:
        return "it pays only for announcements with its own signing key, and these have none"
    return None
