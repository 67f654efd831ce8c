"""What a device is given when it is to build the proof tree of a chosen set."""

from collections.abc import Generator

from packetcrypt.engine.block_set import MinedSet
from packetcrypt.engine.block_store import AnnouncementStore, PinnedRows
from packetcrypt.engine.block_tree import BlockTree, LayerHasher, build_tree
from packetcrypt.protocol.set_selection import SelectedSet


class TreeTask:
    """A tree to be built, by one device at a time.

    claimed   : a device builds it
    abandoned : nobody wants it any more
    mined     : the set with its tree, once it is built
    seconds   : that devices spent on it
    """

    def __init__(self, store: AnnouncementStore, selected: SelectedSet, pinned: PinnedRows) -> None:
        self.selected = selected
        self.pinned = pinned
        self.claimed = False
        self.abandoned = False
        self.mined: MinedSet | None = None
        self.seconds = 0.0
        self._store = store

    def steps(self, hasher: LayerHasher) -> Generator[None, None, BlockTree]:
        """Short steps that build the tree."""
        return build_tree(self._store, self.pinned, hasher)
