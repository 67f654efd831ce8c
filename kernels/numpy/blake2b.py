"""How BLAKE2b hashes of thousands of messages of one length are computed at once (RFC 7693).

The work vector is kept structure-of-arrays like ChaCha20's matrix, and for the same reason: the
four G functions of a column (or diagonal) step are one NumPy call each operation.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.rotation import Rotation

U64s = npt.NDArray[np.uint64]

BLOCK_SIZE = 128
_BLOCK_WORDS = 16
_ROUNDS = 12

_IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
).reshape(8, 1)

_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)

_ROTATE_32, _ROTATE_40, _ROTATE_48, _ROTATE_1 = (Rotation(np.uint64, r) for r in (32, 40, 48, 1))


class Blake2b:
    """Buffers for up to `capacity` messages at a time, 320 bytes each. Not to be shared.

    checkpoint : called after each block of the messages; what it raises ends the work
    """

    def __init__(self, capacity: int, checkpoint: Callable[[], None] = lambda: None) -> None:
        self._capacity = capacity
        self._checkpoint = checkpoint
        self._message = np.empty(_BLOCK_WORDS * capacity, np.uint64)
        self._a, self._b, self._c, self._d, self._scratch = (
            np.empty(rows * capacity, np.uint64) for rows in (4, 5, 6, 5, 4)
        )

    def digests(self, messages: U64s, digest_size: int, size: int | None = None) -> U64s:
        """Hash n messages that lie in whole 128-byte blocks: (digest_size // 8, n) uint64.

        messages    : (n, words) uint64 of any strides, words a multiple of 16 and not 0
        digest_size : bytes, 8, 16, … 64
        size        : bytes of a message, if the last block has zeros behind its end
        """
        digests = np.empty((digest_size // 8, len(messages)), np.uint64)
        for start in range(0, len(messages), self._capacity):
            piece = messages[start : start + self._capacity]
            digests[:, start : start + self._capacity] = self._hash(
                piece, digest_size, size or 8 * messages.shape[1]
            )
        return digests

    def _hash(self, messages: U64s, digest_size: int, size: int) -> U64s:
        count, words = messages.shape
        chain = np.repeat(_IV, count, axis=1)
        chain[0] ^= np.uint64(0x01010000 ^ digest_size)  # no key, sequential
        for start in range(0, words, _BLOCK_WORDS):
            end = start + _BLOCK_WORDS
            absorbed = min(8 * end, size)
            self._compress(chain, messages[:, start:end], absorbed, last=end == words)
            self._checkpoint()
        return chain[: digest_size // 8]

    def _compress(self, chain: U64s, block: U64s, absorbed: int, *, last: bool) -> None:
        """Absorb a block of each message; `absorbed` counts the bytes including it."""
        count = len(block)
        message = self._message[: _BLOCK_WORDS * count].reshape(_BLOCK_WORDS, count)
        message[:] = block.T
        a, b, c, d, scratch = (
            buffer[: rows * count].reshape(rows, count)
            for buffer, rows in zip(
                (self._a, self._b, self._c, self._d, self._scratch), (4, 5, 6, 5, 4), strict=True
            )
        )
        a[:], b[:4], c[:4], d[1:] = chain[:4], chain[4:], _IV[:4], _IV[4:]
        d[1] ^= np.uint64(absorbed)
        if last:
            np.invert(d[3], d[3])
        a_words, message_words = list(a), list(message)
        for number in range(_ROUNDS):
            order = [message_words[i] for i in _SIGMA[number % len(_SIGMA)]]
            _mix(a, b[:4], c[:4], d[1:], a_words, order[:8], scratch)
            b[4], c[4:], d[0] = b[0], c[:2], d[4]
            _mix(a, b[1:], c[2:], d[:4], a_words, order[8:], scratch)
            b[0], c[:2], d[4] = b[4], c[4:], d[0]
        chain[:4] ^= a
        chain[:4] ^= c[:4]
        chain[4:] ^= b[:4]
        chain[4:] ^= d[1:]


def _mix(
    a: U64s, b: U64s, c: U64s, d: U64s, a_words: list[U64s], message: list[U64s], scratch: U64s
) -> None:
    """The four G functions of a step at once.

    a_words : the rows of a
    message : the 8 words that the step absorbs, two for each G function
    """
    np.add(a, b, a)
    for j, word in enumerate(a_words):
        np.add(word, message[2 * j], word)
    np.bitwise_xor(d, a, d)
    _ROTATE_32(d, scratch)
    np.add(c, d, c)
    np.bitwise_xor(b, c, b)
    _ROTATE_40(b, scratch)
    np.add(a, b, a)
    for j, word in enumerate(a_words):
        np.add(word, message[2 * j + 1], word)
    np.bitwise_xor(d, a, d)
    _ROTATE_48(d, scratch)
    np.add(c, d, c)
    np.bitwise_xor(b, c, b)
    _ROTATE_1(b, scratch)
