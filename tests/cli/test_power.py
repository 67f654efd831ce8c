"""`packetcrypt power`: the figures of spec 2 as the user meets them, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import Ended

Cli = Callable[..., Ended]


@pytest.fixture
def power(cli: Cli) -> Callable[..., dict[str, Any]]:
    """Runs `packetcrypt power --json`."""

    def call(*arguments: object) -> dict[str, Any]:
        ended = cli("power", *arguments, "--json")
        assert (ended.status, ended.err) == (0, "")
        answer: dict[str, Any] = json.loads(ended.out)
        return answer

    return call


Power = Callable[..., dict[str, Any]]


def test_a_thousand_announcements_a_block_at_128(power: Power) -> None:
    sets = power("--supply", 1000, "--at-difficulty", 128)["by_periods"]["sets"]

    assert [one["periods"] for one in sets] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [one["relative"] for one in sets][:4] == [1, 2, 2.25, 2]
    assert sets[2] == {
        "periods": 3,
        "announcements": 3000,
        "least_difficulty": 32,
        "power": 288_000_000,
        "relative": 2.25,
    }


def test_a_thousand_announcements_a_block_at_1(power: Power) -> None:
    report = power("--supply", 1000)

    powers = {one["difficulty"]: one["power"] for one in report["by_difficulty"]}
    assert [powers[difficulty] for difficulty in (1, 2, 4, 8)] == [
        1_000_000,
        1_000_000,
        562_500,
        281_250,
    ]
    assert report["best"] == 2


def test_by_the_chains_rules(power: Power) -> None:
    report = power("--difficulty", 2, "--difficulty", 1, "--difficulty", 4)

    one, two, four = report["by_difficulty"]
    assert (one["ann_target"], one["chain"]) == (None, None)
    assert two["chain"] == {
        "periods": 1,
        "announcements": 500,
        "max_target": 0x207FFFFF,
        "power": 500_000,
        "relative": 1,
    }
    assert (four["chain"]["periods"], four["chain"]["relative"]) == (2, 1)
    assert report["best_on_chain"] == 4


def test_encryptions_a_second_are_a_supply(power: Power) -> None:
    by_speed = power("--encryptions", "1e6", "--block-seconds", 30)
    by_count = power("--supply", "1e6", "--at-difficulty", 30, "--block-seconds", 30)

    assert by_speed == by_count
    assert by_speed["encryptions_per_block"] == 30_000_000


def test_bandwidth(power: Power) -> None:
    (row,) = power("--supply", 1_000_000, "--difficulty", 1, "--block-seconds", 8)["by_difficulty"]

    assert row["megabits_per_second"] == 1024


def test_hashes_for_a_block_fall_as_power_grows(power: Power) -> None:
    rows = power("--supply", 1000, "--block-bits", "1c0fffff", "--difficulty", 4, "--difficulty", 8)

    four, eight = (row["chain"] for row in rows["by_difficulty"])
    ratio = eight["hashes_for_block"] / four["hashes_for_block"]
    assert ratio == pytest.approx(four["power"] / eight["power"], rel=2**-14)


def test_the_text_says_the_same(cli: Cli) -> None:
    ended = cli("power", "--supply", 1000, "--block-bits", "1c0fffff")

    assert ended.status == 0
    lines = ended.out.splitlines()
    (row,) = (line.split() for line in lines if line.split()[:1] == ["4"] and "0x" in line)
    assert row[:7] == ["4", "0x203fffff", "250", "0.0341", "3", "1", "562,500"]
    assert "Best: the last 3." in lines
    assert "Best: difficulty 2, power 1,000,000." in lines
    assert "Best by the chain's rules: difficulty 4, ann_target = 0x203fffff." in lines


def test_columns_stand_under_their_heads(cli: Cli) -> None:
    tables = cli("power").out.split("\n\n")[1:]

    for table in tables:
        _, *rows = table.split("\nBest")[0].splitlines()
        assert len(rows) > 8
        assert len({len(row) for row in rows}) == 1


def test_without_a_whole_announcement_there_is_no_set_on_the_chain(cli: Cli, power: Power) -> None:
    report = power("--supply", "1e-5")
    ended = cli("power", "--supply", "1e-5", "--block-bits", "1c0fffff")

    assert report["best_on_chain"] is None
    assert {row["chain"] for row in report["by_difficulty"]} == {None}
    assert "By the chain's rules no set can be made of these." in ended.out


def test_a_chart(cli: Cli, tmp_path: Path) -> None:
    ended = cli("power", "--plot", tmp_path / "power.svg")

    assert ended.status == 0
    assert (tmp_path / "power.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--supply", "1", "--encryptions", "1"), "give one of them"),
        (("--supply", "0"), "give a number above 0"),
        (("--supply", "-1"), "give a number above 0"),
        (("--supply", "many"), "give a number above 0"),
        (("--supply", "nan"), "give a number above 0"),
        (("--encryptions", "inf"), "give a number above 0"),
        (("--block-seconds", "1e999999999"), "give a number above 0"),
        (("--difficulty", "0"), "0 is not in the range"),
        (("--at-difficulty", "1.5"), "not a valid int"),
        (("--block-bits", "zz"), "give its bits"),
        (("--block-bits", "1c800000"), "give its bits"),
        (("--plot", "chart.jpeg"), "ends in .png"),
    ],
)
def test_what_is_refused(cli: Cli, arguments: tuple[str, ...], remedy: str) -> None:
    ended = cli("power", *arguments)

    assert (ended.status, ended.out) == (2, "")
    assert remedy in ended.err
