"""What gaps in counters tell about losses."""

import numpy as np
import numpy.typing as npt
import pytest

from packetcrypt.client.sprayer_loss import RESTART_JUMP, LossEstimate


def _counters(*numbers: int) -> npt.NDArray[np.uint64]:
    return np.array(numbers, np.uint64)


def _estimate(*batches: npt.NDArray[np.uint64], step: int = 1) -> int:
    estimate = LossEstimate(step)
    for batch in batches:
        estimate.count(batch)
    return estimate.lost


@pytest.mark.parametrize(
    ("batches", "lost"),
    [
        ([_counters(5)], 0),
        ([_counters(0, 1, 2), _counters(3, 4)], 0),
        ([_counters(0, 1, 2), _counters(5, 6)], 2),
        ([_counters(0, 2, 9)], 7),
        # The newest first, as existing sprayers do.
        ([_counters(9, 8, 7), _counters(2, 1, 0)], 4),
        ([_counters(9, 8, 7), _counters(2, 1, 0), _counters(6, 5, 4, 3)], 0),
        # Nothing is lost before the first one that was seen, nor by repetition.
        ([_counters(1000, 1001), _counters(1000, 1001)], 0),
        ([_counters(2**64 - 1)], 0),
    ],
)
def test_gaps_are_losses(batches: list[npt.NDArray[np.uint64]], lost: int) -> None:
    assert _estimate(*batches) == lost


def test_a_sender_that_begins_anew_has_lost_nothing_by_it() -> None:
    later = 10 * RESTART_JUMP
    assert _estimate(_counters(later, later + 3), _counters(0, 1), _counters(3)) == 2 + 1


def test_counters_that_make_no_sense_are_no_loss() -> None:
    assert _estimate(_counters(0, 2**63), _counters(4, 6)) == 1


def test_shares_have_wider_steps() -> None:
    assert _estimate(_counters(1, 5, 9), _counters(17), step=4) == 1


def test_nothing_was_lost_of_nothing() -> None:
    assert LossEstimate().lost == 0
