"""The same trouble is logged once a minute."""

import logging

import pytest

from packetcrypt.client.complaints import Complaints

LOG = logging.getLogger("test")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def complaints(clock: Clock, caplog: pytest.LogCaptureFixture) -> Complaints:
    caplog.set_level(logging.INFO)
    return Complaints(LOG, clock)


def test_a_subject_is_reported_once_a_minute(
    complaints: Complaints, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(121):
        clock.now = 1000.0 + second
        complaints.report(("pool", "poll"), f"nonsense {second}")
    assert caplog.messages == [
        "nonsense 0",
        "nonsense 60 (59 more like this since the last report)",
        "nonsense 120 (59 more like this since the last report)",
    ]


def test_another_subject_is_reported_at_once(
    complaints: Complaints, caplog: pytest.LogCaptureFixture
) -> None:
    complaints.report(("a", "poll"), "a is down")
    complaints.report(("b", "poll"), "b is down")
    assert caplog.messages == ["a is down", "b is down"]


def test_an_end_is_reported_once_and_a_new_beginning_at_once(
    complaints: Complaints, caplog: pytest.LogCaptureFixture
) -> None:
    complaints.report(("a",), "down")
    complaints.resolve(("a",), "up")
    complaints.resolve(("a",), "up")
    complaints.report(("a",), "down")
    assert caplog.messages == ["down", "up", "down"]


def test_what_was_never_reported_has_no_end(
    complaints: Complaints, caplog: pytest.LogCaptureFixture
) -> None:
    complaints.resolve(("a",), "up")
    assert caplog.messages == []


def test_a_message_is_one_line(complaints: Complaints, caplog: pytest.LogCaptureFixture) -> None:
    complaints.report(("a",), "no pool.\nGive  its URL")
    assert caplog.messages == ["no pool. Give its URL"]
