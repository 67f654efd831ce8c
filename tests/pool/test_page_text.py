"""How the pages write figures, times and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.pool.page_text import (
    ago,
    duration,
    iso,
    percent,
    significant,
    stamp,
    visible,
    whole,
    with_unit,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00001, "< 0.0001"),
        (0.042, "0.042"),
        (0.999, "1.00"),
        (1.2, "1.20"),
        (9.999, "10.0"),
        (28.56, "28.6"),
        (99.96, "100"),
        (467.4, "467"),
        (12345678, "12\u202f345\u202f678"),
    ],
)
def test_figures(value: float, text: str) -> None:
    assert significant(value) == text


@pytest.mark.parametrize(
    ("value", "number", "unit"),
    [
        (0, "0", "b/s"),
        (999.4, "999", "b/s"),
        (999.6, "1.00", "Kb/s"),
        (28_560_000, "28.6", "Mb/s"),
        (2e24, "2\u202f000\u202f000", "Eb/s"),
    ],
)
def test_rates(value: float, number: str, unit: str) -> None:
    assert with_unit(value, "b/s") == (number, unit)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "0"), (0.00001, "< 0.01"), (0.0005, "0.05"), (0.375, "37.5"), (1, "100")],
)
def test_parts(fraction: float, text: str) -> None:
    assert percent(fraction) == text + "\u202f%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (11_100, "3 h 5 min"),
        (2 * 86400, "2 d"),
        (2 * 86400 + 4 * 3600, "2 d 4 h"),
    ],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_times() -> None:
    assert (ago(-5000), ago(34_900)) == ("just now", "34 s ago")
    assert stamp(1_700_000_000_000) == "2023-11-14 22:13:20 UTC"
    assert iso(1_700_000_000_000) == "2023-11-14T22:13:20Z"
    assert stamp(2**53 - 1).startswith("9999-12-31")


def test_groups_of_digits() -> None:
    assert whole(1_000_012) == "1\u202f000\u202f012"


@given(st.text())
def test_a_name_is_visible_and_can_be_sent(name: str) -> None:
    shown = visible(name)
    shown.encode()
    assert len(shown) <= 81
    assert all(letter.isprintable() or letter.isspace() for letter in shown)
    assert not any(letter in shown for letter in "\r\n\x00\u2028\u202e\u200f")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pkt1qexample", "pkt1qexample"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("a\x00\r\n", "a\\u0000\\u000d\\u000a"),
        ("W" * 63, "W" * 63),
        ("x" * 5000, "x" * 80 + "…"),
    ],
)
def test_marks_that_would_mislead_are_written_out(name: str, text: str) -> None:
    assert visible(name) == text
