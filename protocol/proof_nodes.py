"""What the nodes of a proof tree are, and which of them a proof leads through (spec 1 §5).

An entry is hash ‖ start ‖ end, 48 bytes: it says that the set has no announcement between the key
where it starts and the one where it ends. Nodes above say the same of several entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.primitives import h32

HASH_SIZE = 32
U64_SIZE = 8
MAX_KEY = (1 << 64) - 1
"""where the last entry ends; like 0, no key of an announcement"""


class ProofError(DecodeError):
    """A proof, or a list of announcements, of which no tree can be made."""


@dataclass(frozen=True)
class Node:
    """One entry, or what several are summed up in."""

    hash: bytes
    start: int
    end: int

    def encode(self) -> bytes:
        """The 48 bytes."""
        return self.hash + u64(self.start) + u64(self.end)


PAD = Node(b"\xff" * HASH_SIZE, MAX_KEY, MAX_KEY)
"""what makes the nodes of a layer even in number"""


def parent(left: Node, right: Node) -> Node:
    """The node above two; `ProofError` if they don't meet, or are no ranges of keys."""
    for node in (left, right):
        if node is not PAD and not 0 <= node.start < node.end <= MAX_KEY:
            raise ProofError(f"a node goes from key {node.start} to {node.end}, which is no range")
    if left.end != right.start:
        raise ProofError(f"a node ends at key {left.end}, the next one starts at {right.start}")
    return Node(h32(left.encode() + right.encode()), left.start, right.end)


class Paths:
    """The ways from the root to the proven entries: which nodes they lead through.

    height : the layer of the root
    """

    def __init__(self, count: int, indexes: Sequence[int]) -> None:
        if not indexes or not all(0 <= index < count for index in indexes):
            raise ValueError(f"a tree over {count} announcements has no indexes {list(indexes)}")
        self._entries = count + 1
        self._proven = {index + 1 for index in indexes}
        self.height = count.bit_length()

    def is_computable(self, layer: int, index: int) -> bool:
        """Whether a node is a proven entry, or above one."""
        return any(entry >> layer == index for entry in self._proven)

    def is_pad(self, layer: int, index: int) -> bool:
        """Whether a node is there only to make its layer even."""
        return index << layer >= self._entries


def u64(number: int) -> bytes:
    """8 bytes, little-endian."""
    return number.to_bytes(U64_SIZE, "little")


def key_of(leaf_hash: bytes) -> int:
    """The dedup key of an announcement with this hash: where its entry starts."""
    return int.from_bytes(leaf_hash[:U64_SIZE], "little")
