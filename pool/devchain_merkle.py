"""How the transactions of a block are hashed into one root (Bitcoin's rules).

Ids and hashes are 32 bytes, internal byte order.
"""

from collections.abc import Sequence

from packetcrypt.pool.devchain_transactions import double_sha256


def branch_of_first(ids: Sequence[bytes]) -> tuple[bytes, ...]:
    """The siblings on the way from the first leaf up, by Bitcoin's rule for odd layers."""
    branch = []
    layer = list(ids)
    while len(layer) > 1:
        layer = _even(layer)
        branch.append(layer[1])
        layer = _parents(layer)
    return tuple(branch)


def root_of_all(ids: Sequence[bytes]) -> bytes:
    """The Merkle root over the ids of all transactions."""
    layer = list(ids)
    while len(layer) > 1:
        layer = _parents(_even(layer))
    return layer[0]


def _even(layer: list[bytes]) -> list[bytes]:
    return layer + layer[-1:] * (len(layer) % 2)


def _parents(layer: list[bytes]) -> list[bytes]:
    return [double_sha256(a + b) for a, b in zip(layer[::2], layer[1::2], strict=True)]
