"""How often a complaint is logged."""

import logging

import pytest

from packetcrypt.handler.complaints import Complaints


def test_the_same_complaint_is_held_back_and_another_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    complaints = Complaints(logging.getLogger("test"))
    for text in ("down", "down", "nonsense %s", "nonsense %s", "down"):
        complaints.log(text)

    assert [record.getMessage() for record in caplog.records] == ["down", "nonsense %s", "down"]
