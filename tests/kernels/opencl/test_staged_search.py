"""The sorting between the stages of the search for GPUs (what they find: test_search.py)."""

import numpy as np
import numpy.typing as npt
import pyopencl as cl
import pytest

from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.device_use import CountedKernel

#: Work-items of a group, whose states are interleaved.
GROUP_SIZE = 32
PLACES = 256
#: Bytes of a state, and what it may ask for behind it.
PLACE_SIZE = 2112
KEY_WORD = 4
BINS = 256

Words = npt.NDArray[np.uint32]


class Stages:
    """The kernels, and states as they lie on the device."""

    def __init__(self) -> None:
        device = cl.get_platforms()[0].get_devices()[0]
        self.context = DeviceContext(device, lanes=1)
        self._program = self.context.build("announcement_stages.cl", SPREAD=GROUP_SIZE)

    def kernel(self, name: str) -> CountedKernel:
        return self.context.kernel(self._program, name)

    def spread(self, states: Words) -> cl.Buffer:
        """(PLACES, 512) words, interleaved."""
        padded = np.zeros((PLACES, PLACE_SIZE // 4), np.uint32)
        padded[:, : states.shape[1]] = states
        groups = padded.reshape(-1, GROUP_SIZE, PLACE_SIZE // 4)
        return upload(self.context, groups.transpose(0, 2, 1))

    def gathered(self, states: cl.Buffer) -> Words:
        """The words of interleaved states, (PLACES, 512)."""
        groups = np.empty((PLACES // GROUP_SIZE, PLACE_SIZE // 4, GROUP_SIZE), np.uint32)
        download(self.context, states, groups)
        return groups.transpose(0, 2, 1).reshape(PLACES, -1)[:, :512]


@pytest.fixture(scope="module")
def stages() -> Stages:
    return Stages()


def bins_of(words: Words) -> Words:
    """The decrypt class and the number of blocks of control words (spec 1 §2)."""
    longest = 125 - (words >> 13 & 7)
    blocks = np.minimum(words >> 17 & 127 | 32, longest)
    return (words >> 12 & 1) * 128 + blocks


def random_words(seed: int, *shape: int) -> Words:
    return np.random.default_rng(seed).integers(0, 1 << 32, shape, dtype=np.uint32)


@pytest.mark.parametrize("seed", range(3))
def test_bins_begin_after_those_before(stages: Stages, seed: int) -> None:
    sizes = random_words(seed, BINS) % 1000
    bins = upload(stages.context, sizes)

    stages.kernel("stage_bins")(stages.context.queue, (BINS,), (BINS,), bins)

    begins = np.empty_like(sizes)
    download(stages.context, bins, begins)
    np.testing.assert_array_equal(begins, np.cumsum(sizes) - sizes)


@pytest.mark.parametrize("count", [1, 100, PLACES])
def test_places_are_ordered_by_bin(stages: Stages, count: int) -> None:
    states = random_words(count, PLACES, 512)
    bins = bins_of(states[:count, KEY_WORD])
    sizes = np.bincount(bins, minlength=BINS).astype(np.uint32)
    order = allocate(stages.context, 4 * PLACES)

    stages.kernel("stage_order")(
        stages.context.queue,
        (PLACES,),
        (GROUP_SIZE,),
        stages.spread(states),
        np.uint32(count),
        upload(stages.context, (np.cumsum(sizes) - sizes).astype(np.uint32)),
        order,
    )

    places = np.empty(count, np.uint32)
    download(stages.context, order, places)
    assert sorted(places) == list(range(count))
    assert np.all(np.diff(bins[places].astype(int)) >= 0)


@pytest.mark.parametrize(("count", "parts"), [(PLACES, 16), (77, 4), (1, 1)])
def test_states_move_with_their_next_items(stages: Stages, count: int, parts: int) -> None:
    states = random_words(1, PLACES, 512)
    table = random_words(2, 8192, 256)
    order = np.random.default_rng(3).permutation(PLACES).astype(np.uint32)
    moved, chosen = (allocate(stages.context, n * PLACES) for n in (PLACE_SIZE, 4))

    stages.kernel("stage_gather")(
        stages.context.queue,
        (PLACES * parts,),
        (GROUP_SIZE,),
        stages.spread(states),
        moved,
        np.uint32(count),
        upload(stages.context, order),
        upload(stages.context, table),
        chosen,
        np.uint32(PLACES),
    )

    items = states[order, KEY_WORD] % 8192
    expected = states[order]
    expected[:, 8:264] = table[items]
    numbers = np.empty(count, np.uint32)
    download(stages.context, chosen, numbers)
    np.testing.assert_array_equal(stages.gathered(moved)[:count], expected[:count])
    np.testing.assert_array_equal(numbers, items[:count])
