"""Which block has which height in the pool's chain, as far back as announcements may reach.

Announcements say the height of their parent block, but are valid for its hash.
"""

from packetcrypt.client.master import MasterClient
from packetcrypt.client.recent_blocks import block_of_chain
from packetcrypt.protocol.pool_messages import BlockInfo, MasterConfig

DEEPEST_AGE = 259
"""Age beyond which no announcement is usable (spec 1 §1, `degrade`)."""


class ParentHashes:
    """Hashes of the pool's newest blocks, from a tip backwards without a gap.

    Walking back costs a request a block, so it goes only as far as somebody asks.
    """

    def __init__(self, master: MasterClient) -> None:
        self._master = master
        self._blocks: dict[int, BlockInfo] = {}

    @property
    def tip_height(self) -> int:
        """Height of the newest block; −1 before there is one."""
        return max(self._blocks, default=-1)

    def hash_at(self, height: int) -> bytes | None:
        """32 bytes, internal byte order; None if the block is not known (yet)."""
        block = self._blocks.get(height)
        return None if block is None else block.hash

    def signing_key_at(self, height: int) -> bytes | None:
        """The pool's key for announcements with this parent; None if it has none or is unknown."""
        block = self._blocks.get(height)
        return None if block is None else block.signing_key

    async def follow(self, config: MasterConfig) -> frozenset[int]:
        """Take over the chain that ends in the tip of `config`.

        Returns the heights whose block is another one than before, or none any more: announcements
        for those are worthless. Raises `PoolError` if the master does not tell; then nothing has
        changed.
        """
        tip = config.current_height - 1
        # What is known must join the new chain, so nothing below it is asked for here.
        is_near = self._blocks and tip - self.tip_height <= DEEPEST_AGE
        floor = self._lowest if is_near else tip
        fresh: dict[int, BlockInfo] = {}
        wanted: bytes | None = config.tip_hash
        joined = False
        for height in range(tip, min(floor, tip) - 1, -1):
            joined = wanted is None or self.hash_at(height) == wanted
            if wanted is None or joined:
                break
            fresh[height] = await block_of_chain(self._master, wanted, height)
            wanted = fresh[height].previous_hash
        oldest = tip - DEEPEST_AGE
        base = min(fresh, default=tip + 1)
        kept = {h: block for h, block in self._blocks.items() if joined and oldest <= h < base}
        before, self._blocks = self._blocks, kept | fresh
        return frozenset(
            h for h, block in before.items() if h >= oldest and self.hash_at(h) != block.hash
        )

    async def reach(self, height: int) -> None:
        """Walk back until the block at `height` is known, or nothing deeper is usable.

        Raises `PoolError` if the master does not tell; what was found until then is kept.
        """
        deepest = max(height, 0, self.tip_height - DEEPEST_AGE)
        while self._blocks and (lowest := self._lowest) > deepest:
            previous = self._blocks[lowest].previous_hash
            if previous is None:
                return
            block = await block_of_chain(self._master, previous, lowest - 1)
            # Meanwhile `follow` may have taken over another chain, which this block is none of.
            successor = self._blocks.get(lowest)
            if successor is not None and successor.previous_hash == block.hash:
                self._blocks[lowest - 1] = block

    @property
    def _lowest(self) -> int:
        return min(self._blocks, default=self.tip_height)
