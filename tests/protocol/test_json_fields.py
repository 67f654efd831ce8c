"""Strict reading of JSON objects from peers."""

import re

import pytest

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        (b'{"a": NaN}', "NaN is not a JSON value"),
        (b'{"a": Infinity}', "Infinity is not a JSON value"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not JSON"),
        (b"[" * 1_000_000, "not JSON"),
        (b"[1]", "expected a JSON object, got an array"),
        (b"null", "expected a JSON object, got null"),
        (b'"text"', 'expected a JSON object, got the string "text"'),
        (b"true", "expected a JSON object, got the boolean true"),
    ],
)
def test_what_is_no_object_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=f"^peer: .*{reason}"):
        JsonFields.parse(body, "peer")


@pytest.mark.parametrize("value", [None, True, False, "1", 1.0, 1e300, [], {}, -1, 11, 2**200])
def test_an_integer_is_only_an_integer_in_range(value: object) -> None:
    with pytest.raises(DecodeError, match='peer: field "n" must be an integer from 0 to 10, got'):
        JsonFields({"n": value}, "peer").integer("n", 0, 10)


@pytest.mark.parametrize("value", [0, 10])
def test_the_ends_of_a_range_belong_to_it(value: int) -> None:
    assert JsonFields({"n": value}, "peer").integer("n", 0, 10) == value


@pytest.mark.parametrize("value", [None, True, "1", [], 10**400, float("inf")])
def test_a_number_is_a_finite_number(value: object) -> None:
    with pytest.raises(DecodeError, match='field "n" must be a'):
        JsonFields({"n": value}, "peer").number("n")


@pytest.mark.parametrize("value", [1, 1.5])
def test_integers_are_numbers(value: float) -> None:
    assert JsonFields({"n": value}, "peer").number("n") == value


@pytest.mark.parametrize("value", [None, 1, "", "ab", "abcdefg", "0xab", " abc", "abcg", "abc\n"])
def test_hex_has_exactly_its_length(value: object) -> None:
    with pytest.raises(DecodeError, match='field "h" must be 4 hexadecimal digits, got'):
        JsonFields({"h": value}, "peer").hex_bytes("h", 2)


@pytest.mark.parametrize("value", ["abcd", "ABCD", "aBcD"])
def test_hex_is_read_in_either_case(value: str) -> None:
    assert JsonFields({"h": value}, "peer").hex_bytes("h", 2) == b"\xab\xcd"


@pytest.mark.parametrize("value", [None, "a", {}, [1], ["a", None]])
def test_texts_are_an_array_of_strings(value: object) -> None:
    with pytest.raises(DecodeError, match='field "t" must be an array'):
        JsonFields({"t": value}, "peer").texts("t")


@pytest.mark.parametrize("value", [None, 1, {}, ["1"], [True]])
def test_integers_are_an_array_of_integers(value: object) -> None:
    with pytest.raises(DecodeError, match='field "i" must be an'):
        JsonFields({"i": value}, "peer").integers("i", 0, 10)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(DecodeError, match=r'^peer: field "t" is missing$'):
        JsonFields({}, "peer").text("t")


def test_a_nested_field_is_named_with_its_object() -> None:
    with pytest.raises(DecodeError, match=r'^peer: field "header": field "hash" is missing$'):
        JsonFields({"header": {}}, "peer").fields("header").text("hash")


def test_objects_of_an_array_are_named_with_their_number() -> None:
    first, second = JsonFields({"a": [{"b": "1"}, {}]}, "peer").objects("a")
    assert first.text("b") == "1"
    with pytest.raises(DecodeError, match=re.escape('peer: field "a[1]": field "b" is missing')):
        second.text("b")


@pytest.mark.parametrize("value", [{}, None, [1], [{}, []]])
def test_objects_are_an_array_of_objects(value: object) -> None:
    with pytest.raises(DecodeError, match='field "a'):
        JsonFields({"a": value}, "peer").objects("a")


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(DecodeError) as refused:
        JsonFields({"n": "x" * 100_000}, "peer").integer("n", 0, 1)
    assert len(str(refused.value)) < 200


def test_control_characters_do_not_reach_the_message() -> None:
    with pytest.raises(DecodeError) as refused:
        JsonFields({"n": "\x1b[2J\n"}, "peer").integer("n", 0, 1)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(("value", "absent"), [({}, True), ({"a": None}, True), ({"a": 0}, False)])
def test_null_and_missing_are_both_absent(value: dict[str, object], absent: bool) -> None:
    assert JsonFields(value, "peer").is_absent("a") is absent


@pytest.mark.parametrize("value", [None, 0, 1, "true", "", []])
def test_a_boolean_is_only_true_or_false(value: object) -> None:
    with pytest.raises(DecodeError, match='peer: field "b" must be true or false, got'):
        JsonFields({"b": value}, "peer").boolean("b")


@pytest.mark.parametrize("value", [True, False])
def test_booleans(value: bool) -> None:
    assert JsonFields({"b": value}, "peer").boolean("b") is value


@pytest.mark.parametrize("value", ["abc", "0x", " 00", 12, None])
def test_hexadecimal_of_any_length_is_of_whole_bytes(value: object) -> None:
    with pytest.raises(DecodeError, match='field "h" must be an even number of hexadecimal digits'):
        JsonFields({"h": value}, "peer").hex_bytes("h")


@pytest.mark.parametrize("value", ["", "00ff"])
def test_hexadecimal_of_any_length(value: str) -> None:
    assert JsonFields({"h": value}, "peer").hex_bytes("h").hex() == value


def test_arrays_of_hexadecimal() -> None:
    fields = JsonFields({"h": ["00ff", "AB12"]}, "peer")
    assert fields.hex_array("h", 2) == fields.hex_array("h", 2, 2) == (b"\x00\xff", b"\xab\x12")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("00ff", 'field "h" must be an array, got the string'),
        (["00ff"], 'field "h" must be an array of 2 elements, got 1'),
        (["00ff", "00"], r'field "h\[1\]" must be 4 hexadecimal digits, got the string "00"'),
        ([17, "00ff"], r'field "h\[0\]" must be 4 hexadecimal digits, got the number 17'),
    ],
)
def test_other_arrays_are_refused(value: object, message: str) -> None:
    with pytest.raises(DecodeError, match=f"peer: {message}"):
        JsonFields({"h": value}, "peer").hex_array("h", 2, 2)
