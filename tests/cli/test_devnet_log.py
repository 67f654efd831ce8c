"""Lines of many services are one log."""

import logging
import re

import pytest

from packetcrypt.cli.devnet_log import ServicesLog


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("1763890830 INFO took work", "took work"),
        ("1763890830 WARNING the node is silent", "WARNING the node is silent"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
    ],
)
def test_a_line_of_a_service(capsys: pytest.CaptureFixture[str], line: str, shown: str) -> None:
    ServicesLog().show("ah0", line)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2} ah0       " + re.escape(shown) + "\n", err)


def test_a_message_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("any", logging.INFO, "", 0, "block %d", (7,), None)
    ServicesLog().emit(record)
    assert capsys.readouterr().err.endswith(" devnet    block 7\n")
