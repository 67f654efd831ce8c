"""Poly1305 of a group in OpenCL against `cryptography`, for every group size and form of limbs."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyopencl as cl
import pytest

from packetcrypt.kernels.opencl.buffers import allocate, download, upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.protocol.primitives import poly1305

P = (1 << 130) - 5
LARGEST_R = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF

#: The longest message of CryptoCycle.
MAX_BLOCKS = 125

#: The kernel may read that much before a message.
MARGIN = 2112
STRIDE = 2112


class Tags:
    """The function under test, for groups of `group` lanes and limbs of so many bits."""

    def __init__(self, group: int, limb_bits: int) -> None:
        device = cl.get_platforms()[0].get_devices()[0]
        self._context = DeviceContext(device, lanes=1 if group == 1 else 16)
        source = (Path(__file__).parent / "poly1305_test.cl").read_text()
        self._program = self._context.build_source(
            source, "poly1305_test.cl", GROUP=group, POLY1305_LIMB_BITS=limb_bits
        )
        self._group = group

    def form(self) -> tuple[int, bool]:
        """Bits of a limb; whether AVX512-IFMA is used."""
        form = np.zeros(2, np.uint32)
        buffer = allocate(self._context, form.nbytes)
        self._context.kernel(self._program, "form")(self._context.queue, (1,), (1,), buffer)
        download(self._context, buffer, form)
        return int(form[0]), bool(form[1])

    def __call__(self, keys: Sequence[bytes], messages: Sequence[bytes]) -> list[bytes]:
        """The tags of whole blocks, two or more; the kernel gets the last one in registers."""
        count = len(messages)
        padded = -(-count // self._group) * self._group
        key_rows = np.zeros((padded, 64), np.uint8)
        blocks = np.ones(padded, np.uint32)
        memory = np.random.default_rng(1).integers(
            0, 256, MARGIN + STRIDE * padded + MARGIN, dtype=np.uint8
        )
        for i, (key, message) in enumerate(zip(keys, messages, strict=True)):
            body = message[:-16]
            key_rows[i, :48] = np.frombuffer(key + message[-16:], np.uint8)
            blocks[i] = len(body) // 16
            at = MARGIN + STRIDE * i
            memory[at : at + len(body)] = np.frombuffer(body, np.uint8)
        tags = np.zeros((padded, 16), np.uint8)
        result = allocate(self._context, tags.nbytes)
        inputs = [upload(self._context, array) for array in (key_rows, blocks, memory)]
        self._context.kernel(self._program, "tags")(
            self._context.queue,
            (padded // self._group,),
            (1,),
            *inputs,
            np.uint32(MARGIN),
            np.uint32(STRIDE),
            result,
        )
        download(self._context, result, tags)
        return [tag.tobytes() for tag in tags[:count]]


@pytest.fixture(
    scope="module",
    params=[(group, limb_bits) for limb_bits in (26, 44) for group in (1, 8, 16)],
    ids=lambda form: f"group{form[0]}-limbs{form[1]}",
)
def tags(request: pytest.FixtureRequest) -> Tags:
    return Tags(*request.param)


def random_bytes(seed: object, size: int) -> bytes:
    return hashlib.shake_256(repr(seed).encode()).digest(size)


def key_of(r: int, s: int) -> bytes:
    return r.to_bytes(16, "little") + s.to_bytes(16, "little")


def clamped(r: bytes) -> int:
    return int.from_bytes(r, "little") & LARGEST_R


def expected(keys: Sequence[bytes], messages: Sequence[bytes]) -> list[bytes]:
    return [poly1305(key, message) for key, message in zip(keys, messages, strict=True)]


@pytest.mark.parametrize("stride", [1, 37], ids=["neighbours", "mixed"])
def test_every_length_gives_the_tag(tags: Tags, stride: int) -> None:
    """Groups of similar lengths, and groups in which some lanes wait for most of the time."""
    lengths = [1 + i * stride % MAX_BLOCKS for i in range(MAX_BLOCKS)]
    messages = [random_bytes(n, 16 * (n + 1)) for n in lengths]
    keys = [random_bytes(("key", n), 32) for n in lengths]

    assert sorted(lengths) == list(range(1, MAX_BLOCKS + 1))
    assert tags(keys, messages) == expected(keys, messages)


@pytest.mark.parametrize("content", ["zeros", "ones", "random"])
@pytest.mark.parametrize("s", [0, (1 << 128) - 1], ids=["s=0", "s=ones"])
def test_extreme_keys_give_the_tag(tags: Tags, content: str, s: int) -> None:
    """All ones bring every limb to its largest value; bits of r that are cleared are set here."""
    rs = [0, 1, LARGEST_R, (1 << 128) - 1, *(1 << bit for bit in range(128))]
    size = 16 * (MAX_BLOCKS + 1)
    message = {"zeros": bytes(size), "ones": b"\xff" * size, "random": random_bytes(0, size)}
    keys = [key_of(r, s) for r in rs]
    messages = [message[content]] * len(keys)

    assert tags(keys, messages) == expected(keys, messages)


def message_with_sum(key: bytes, value: int, seed: int) -> bytes:
    """Some blocks after which the accumulator, reduced, is `value`.

    The last block is solved for; it exists for one of four beginnings.
    """
    r = clamped(key[:16])
    for attempt in range(100):
        beginning = random_bytes(("sum", seed, attempt), 48)
        h = 0
        for at in range(0, len(beginning), 16):
            block = int.from_bytes(beginning[at : at + 16], "little") + (1 << 128)
            h = (h + block) * r % P
        last = (value * pow(r, -1, P) - h - (1 << 128)) % P
        if last < 1 << 128:
            return beginning + last.to_bytes(16, "little")
    raise AssertionError("no beginning of a hundred leads to a block")


#: Where the last subtraction of the modulus, or a carry out of 128 bits, is decided.
EDGES = [
    *range(6),
    *(P - 1 - i for i in range(6)),
    *((1 << 128) + i for i in range(-3, 4)),
    *((1 << 129) + i for i in range(-1, 2)),
    *((1 << bit) + i for bit in (26, 32, 44, 52, 64, 78, 88, 96, 104) for i in (-1, 0)),
]


@pytest.mark.parametrize("s", [0, 1, (1 << 128) - 1], ids=["s=0", "s=1", "s=ones"])
def test_sums_about_the_modulus_are_reduced(tags: Tags, s: int) -> None:
    rs = [LARGEST_R, *(clamped(random_bytes(("r", i), 16)) for i in range(4))]
    wanted = [(key_of(r, s), value) for r in rs for value in EDGES]
    keys = [key for key, _ in wanted]
    messages = [message_with_sum(key, value, i) for i, (key, value) in enumerate(wanted)]

    result = tags(keys, messages)

    assert result == [((v + s) % (1 << 128)).to_bytes(16, "little") for _, v in wanted]
    assert result == expected(keys, messages)


@pytest.mark.parametrize("excess", range(-6, 7))
def test_a_sum_that_is_not_reduced_is_reduced(tags: Tags, excess: int) -> None:
    """With r = 1 the accumulator is the sum of the blocks, here 2^130 − 5 + excess."""
    total = P + excess - 3 * (1 << 128)
    first = (total + (1 << 128)) // 3
    blocks = [first, (total - first) // 2, total - first - (total - first) // 2]
    message = b"".join(block.to_bytes(16, "little") for block in blocks)

    (tag,) = tags([key_of(1, 0)], [message])

    assert int.from_bytes(tag, "little") == (P + excess) % P % (1 << 128)


def test_the_chosen_form_is_built(tags: Tags, request: pytest.FixtureRequest) -> None:
    group, limb_bits = request.node.callspec.params["tags"]
    form, has_instructions = tags.form()

    assert form == limb_bits
    assert group == 16 or not has_instructions
