"""What a block's work hash is, and which announcements it draws (spec 1 §5 "Mining")."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from packetcrypt.protocol import cryptocycle
from packetcrypt.protocol.primitives import h32

ITEMS_PER_HASH = 4
"""announcements that one block hash absorbs"""


@dataclass(frozen=True)
class BlockHash:
    """What one low nonce gives.

    work_hash    : 32 bytes
    item_numbers : u64 numbers of the announcements, in the order absorbed; taken modulo the count
                   of a set they are indexes into it
    """

    work_hash: bytes
    item_numbers: tuple[int, int, int, int]


def block_work_hash(
    header: bytes, low_nonce: int, announcement_at: Callable[[int], bytes]
) -> BlockHash:
    """The hash of one low nonce.

    header          : 80 bytes, with nonce
    announcement_at : the 1024 bytes for a u64 item number (the caller takes it modulo the count)
    """
    state = cryptocycle.init(h32(header), low_nonce)
    numbers = []
    for _ in range(ITEMS_PER_HASH):
        numbers.append(cryptocycle.item_number(state))
        cryptocycle.update(state, announcement_at(numbers[-1]))
    cryptocycle.smul(state)
    cryptocycle.final(state)
    first, second, third, fourth = numbers
    return BlockHash(bytes(state[:32]), (first, second, third, fourth))


def hash_of_four(header: bytes, low_nonce: int, announcements: Sequence[bytes]) -> BlockHash:
    """The hash of four announcements as given, whatever numbers they are asked for by."""
    given = iter(announcements)
    return block_work_hash(header, low_nonce, lambda _: next(given))
