"""How the nodes of one layer of the proof tree become those of the next (spec 1 §5)."""

from functools import partial

import numpy as np
import numpy.typing as npt

from packetcrypt.kernels.numpy.workspace import Runner, Task, Workspace

_NODE_WORDS = 6  # hash, start and end
_PAIR_SIZE = 96
_MESSAGE_WORDS = 16  # a pair and zeros up to a whole block of BLAKE2b

#: Pairs that a thread takes at a time, 0.5 MB.
_PIECE = 4096

U8s = npt.NDArray[np.uint8]
U64s = npt.NDArray[np.uint64]


def hash_layer(hashes: U8s, starts: U64s, end: int, run: Runner) -> U8s:
    """See `BlockKernels.hash_layer`; `run` does the work."""
    pairs = len(starts) // 2
    words = np.ascontiguousarray(hashes).view(np.uint64).reshape(pairs, 2, 4)
    ranges = np.empty((len(starts), 2), np.uint64)
    ranges[:, 0] = starts
    ranges[:-1, 1] = starts[1:]
    ranges[-1:, 1] = end
    parents = np.empty((pairs, 4), np.uint64)

    def task(first: int, workspace: Workspace) -> None:
        piece = slice(first, min(first + _PIECE, pairs))
        messages = np.zeros((piece.stop - first, _MESSAGE_WORDS), np.uint64)
        nodes = messages[:, : 2 * _NODE_WORDS].reshape(-1, 2, _NODE_WORDS)
        nodes[:, :, :4] = words[piece]
        nodes[:, :, 4:] = ranges.reshape(pairs, 2, 2)[piece]
        parents[piece] = workspace.blake.digests(messages, 32, _PAIR_SIZE).T

    tasks: list[Task] = [partial(task, first) for first in range(0, pairs, _PIECE)]
    run(tasks)
    return parents.view(np.uint8)
