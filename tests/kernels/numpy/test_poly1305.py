"""Poly1305 tags against RFC 8439 and against `cryptography`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.kernels.numpy.poly1305 import Poly1305
from packetcrypt.protocol.primitives import poly1305

ONES, ZEROS = "ff" * 16, "00" * 16


def tags(keys: list[bytes], messages: list[bytes]) -> list[bytes]:
    """The tags, in order, of messages that are sorted by length, longest first."""
    lengths = np.array([len(message) // 16 for message in messages])
    blocks = np.full((lengths[0], len(messages), 16), 0xEE, np.uint8)  # what is above is arbitrary
    for column, message in enumerate(messages):
        blocks[-lengths[column] :, column] = np.frombuffer(message, np.uint8).reshape(-1, 16)
    words = np.frombuffer(b"".join(keys), np.uint32).reshape(-1, 8).T
    result = Poly1305(len(keys)).tags(words, blocks.view(np.uint64), lengths)
    return [column.tobytes() for column in np.ascontiguousarray(result.T)]


@pytest.mark.parametrize(
    ("key", "message", "tag"),
    [
        pytest.param("02" + "00" * 31, ONES, "03" + "00" * 15, id="7: past 2^130 - 5"),
        pytest.param("02" + "00" * 15 + ONES, "02" + "00" * 15, "03" + "00" * 15, id="8: plus s"),
        pytest.param(
            "01" + "00" * 31, ONES + "f0" + "ff" * 15 + "11" + "00" * 15, "05" + "00" * 15, id="9"
        ),
        pytest.param(
            "01" + "00" * 31, ONES + "fb" + "fe" * 15 + "01" * 16, ZEROS, id="10: becomes p"
        ),
        pytest.param("02" + "00" * 31, "fd" + "ff" * 15, "fa" + "ff" * 15, id="11"),
        pytest.param(
            "0100000000000000" + "0400000000000000" + ZEROS,
            "e33594d7505e43b900000000000000003394d7505e4379cd01000000000000000000000000000000"
            "000000000000000001000000000000000000000000000000",
            "14000000000000005500000000000000",
            id="12",
        ),
        pytest.param(
            "0100000000000000" + "0400000000000000" + ZEROS,
            "e33594d7505e43b900000000000000003394d7505e4379cd01000000000000000000000000000000"
            "0000000000000000",
            "13" + "00" * 15,
            id="13",
        ),
    ],
)
def test_hard_cases_of_rfc_8439(key: str, message: str, tag: str) -> None:
    """Appendix A.3, the numbers are the RFC's."""
    assert tags([bytes.fromhex(key)], [bytes.fromhex(message)]) == [bytes.fromhex(tag)]


@given(st.data())
def test_messages_of_different_lengths(data: st.DataObject) -> None:
    lengths = sorted(data.draw(st.lists(st.integers(1, 20), min_size=1, max_size=6)), reverse=True)
    keys = [data.draw(st.binary(min_size=32, max_size=32)) for _ in lengths]
    extreme = st.sampled_from([b"\0" * 16, b"\xff" * 16, b"\xfb" + b"\xff" * 15])
    block = st.one_of(extreme, st.binary(min_size=16, max_size=16))
    messages = [b"".join(data.draw(block) for _ in range(length)) for length in lengths]

    expected = [poly1305(key, message) for key, message in zip(keys, messages, strict=True)]
    assert tags(keys, messages) == expected


@pytest.mark.parametrize("r", ["ff" * 16, "fcffff0f" * 4, "00" * 16, "01" + "00" * 15])
@pytest.mark.parametrize("block", [ONES, ZEROS, "fb" + "ff" * 15])
def test_limbs_stay_in_bounds(r: str, block: str) -> None:
    """The longest message of CryptoCycle, with the largest limbs that there can be."""
    key, message = bytes.fromhex(r + ONES), bytes.fromhex(block) * 126
    assert tags([key], [message]) == [poly1305(key, message)]
