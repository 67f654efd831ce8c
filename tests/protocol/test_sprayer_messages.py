"""The sprayer's datagrams, byte for byte, and what is none of them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.sprayer_messages import (
    MAX_DATAGRAM,
    MAX_SHARES,
    RECORD_DTYPE,
    RECORD_SIZE,
    Subscription,
    decode_records,
    records_per_datagram,
)

#: As packetcrypt_rs 0.6.0 sends it.
SENT_BY_EXISTING = b'{"yes_please_dos_me_passwd":"pw","num":0,"count":1}'


def test_a_subscription_of_the_existing_sprayer() -> None:
    assert Subscription.decode(SENT_BY_EXISTING) == Subscription("pw", 0, 1)


def test_a_subscription_has_the_fields_that_existing_sprayers_read() -> None:
    assert json.loads(Subscription("secret", 2, 4).encode()) == {
        "yes_please_dos_me_passwd": "secret",
        "num": 2,
        "count": 4,
    }


@given(st.text(max_size=50), st.integers(1, MAX_SHARES), st.data())
def test_subscriptions_survive_the_wire(password: str, count: int, data: st.DataObject) -> None:
    subscription = Subscription(password, data.draw(st.integers(0, count - 1)), count)
    assert Subscription.decode(subscription.encode()) == subscription


@pytest.mark.parametrize(
    ("datagram", "message"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "expected a JSON object"),
        (b'{"num":0,"count":1}', '"yes_please_dos_me_passwd" is missing'),
        (b'{"yes_please_dos_me_passwd":7,"num":0,"count":1}', "must be a string"),
        (b'{"yes_please_dos_me_passwd":"","num":-1,"count":1}', '"num" must be an integer from 0'),
        (b'{"yes_please_dos_me_passwd":"","num":1,"count":1}', "share 1 of 1 does not exist"),
        (b'{"yes_please_dos_me_passwd":"","num":0,"count":65}', "from 1 to 64"),
        (b'{"yes_please_dos_me_passwd":"","num":0,"count":true}', "must be an integer"),
        (SENT_BY_EXISTING + b" " * 512, "longer than 512 bytes"),
    ],
)
def test_what_is_no_subscription(datagram: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        Subscription.decode(datagram)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_subscription_or_refused(datagram: bytes) -> None:
    try:
        decoded = Subscription.decode(datagram)
    except DecodeError:
        return
    assert Subscription.decode(decoded.encode()) == decoded


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(Subscription("secret"))


def test_a_record_is_a_little_endian_counter_and_an_announcement() -> None:
    datagram = b"\x02\x01" + bytes(6) + b"a" * 1024 + b"\xff" * 8 + b"b" * 1024

    records = decode_records(np.frombuffer(datagram, np.uint8))

    assert records["counter"].tolist() == [0x0102, 2**64 - 1]
    assert records["announcement"][1].tobytes() == b"b" * 1024
    assert records.dtype == RECORD_DTYPE
    assert RECORD_SIZE == 1032


@pytest.mark.parametrize("size", [0, 1, 1024, 1031, 1033, 2063, MAX_DATAGRAM - 1])
def test_what_is_no_whole_number_of_records(size: int) -> None:
    with pytest.raises(DecodeError, match=f"datagram of {size} bytes"):
        decode_records(np.zeros(size, np.uint8))


@pytest.mark.parametrize(
    ("max_datagram", "records"),
    [(1031, 0), (1032, 1), (1472, 1), (2064, 2), (8972, 8), (65016, 63), (65507, 63)],
)
def test_how_many_records_fit(max_datagram: int, records: int) -> None:
    assert records_per_datagram(max_datagram) == records
