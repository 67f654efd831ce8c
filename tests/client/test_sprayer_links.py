"""What a subscriber asks a sprayer for, as it learns whether it divides."""

import numpy as np
import numpy.typing as npt

from packetcrypt.client.sprayer_links import SILENCE_SECONDS, SprayerLink
from packetcrypt.protocol.sprayer_messages import Subscription


def _every(step: int, first: int = 0, count: int = 16) -> npt.NDArray[np.uint64]:
    return np.arange(first, first + step * count, step, dtype=np.uint64)


ALL_SHARES = {number: Subscription("pw", number, 4) for number in range(4)}


def test_one_share_is_everything() -> None:
    link = SprayerLink("s", 1, 0.0)
    assert link.subscriptions("pw", 1.0) == {0: Subscription("pw", 0, 1)}
    assert not link.count(0, _every(1), 1.0)


def test_the_first_share_is_asked_for_alone_until_the_sprayer_is_seen_to_divide() -> None:
    link = SprayerLink("s", 4, 0.0)
    assert link.subscriptions("pw", 1.0) == {0: Subscription("pw", 0, 4)}
    assert not link.count(0, _every(4, count=15), 1.0)
    assert link.subscriptions("pw", 1.0) == {0: Subscription("pw", 0, 4)}

    assert link.count(0, _every(4, first=60, count=1), 1.0)

    assert link.subscriptions("pw", 1.0) == ALL_SHARES
    assert link.statistics().divides is True


def test_a_sprayer_that_does_not_divide_is_asked_for_everything_once() -> None:
    link = SprayerLink("s", 4, 0.0)

    assert link.count(0, _every(1), 1.0)

    assert link.subscriptions("pw", 1.0) == {0: Subscription("pw", 0, 1)}
    assert not link.count(0, _every(1, first=20), 1.0)
    assert link.statistics().received == 32
    assert link.statistics().lost == 4


def test_one_that_stops_dividing_is_asked_for_everything() -> None:
    link = SprayerLink("s", 4, 0.0)
    link.count(0, _every(4), 1.0)

    assert link.count(2, _every(1), 1.0)

    assert link.subscriptions("pw", 1.0) == {0: Subscription("pw", 0, 1)}


def test_after_silence_it_may_be_another_sprayer() -> None:
    link = SprayerLink("s", 4, 0.0)
    link.count(0, _every(1), 1.0)

    assert not link.is_silent(1.0 + SILENCE_SECONDS)
    assert link.is_silent(1.1 + SILENCE_SECONDS)
    assert link.subscriptions("pw", 32.0) == {0: Subscription("pw", 0, 4)}


def test_losses_of_every_share_are_added() -> None:
    link = SprayerLink("s", 4, 0.0)
    link.count(0, _every(4), 1.0)
    link.count(0, _every(4, first=72), 1.0)  # 64 and 68 are missing
    link.count(3, np.array([3, 15], np.uint64), 1.0)  # 7 and 11 are missing
    assert link.statistics().lost == 4


def test_losses_are_remembered_when_the_way_of_counting_changes() -> None:
    link = SprayerLink("s", 4, 0.0)
    link.count(0, _every(4), 1.0)
    link.count(0, _every(4, first=72), 1.0)

    link.count(0, _every(1, first=1000), 1.0)

    assert link.statistics().lost == 2
