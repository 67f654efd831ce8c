"""What a subscriber knows about one sprayer: does it divide, and how much of it was lost?

Existing sprayers ignore which share they are asked for and send everything. So a subscriber that
wants shares asks for the first one alone, and for the others when the counters of what it is sent
show that the sprayer divides. Otherwise it would be sent everything once a share.
"""

import numpy as np
import numpy.typing as npt

from packetcrypt.client.sprayer_loss import LossEstimate
from packetcrypt.client.subscription_statistics import SprayerLinkStatistics
from packetcrypt.client.udp import Endpoint
from packetcrypt.protocol.sprayer_messages import EXPIRY_SECONDS, Subscription

SILENCE_SECONDS = 30.0
"""after which it is said that nothing comes: a sprayer tells nobody that a password is wrong"""
_CONVINCING = 16
"""records of the first share after which a sprayer is taken to divide"""


class SprayerLink:
    """One sprayer, as its subscriber sees it. Use in one thread.

    share_count : of shares that the subscriber would like, one a socket
    now         : on time.monotonic's clock, as all times here
    """

    def __init__(self, name: Endpoint | str, share_count: int, now: float) -> None:
        self.received = 0
        self._name = str(name)
        self._share_count = share_count
        self._divides: bool | None = None if share_count > 1 else False
        self._convincing = 0
        self._earlier_lost = 0
        self._estimates: dict[int, LossEstimate] = {}
        self._heard = now

    def is_silent(self, now: float) -> bool:
        """Whether nothing has come for a while."""
        return now - self._heard > SILENCE_SECONDS

    def subscriptions(self, password: str, now: float) -> dict[int, Subscription]:
        """What to ask for now, by the number of the socket that asks."""
        if self._share_count > 1 and now - self._heard > EXPIRY_SECONDS:
            self._set_divides(None)  # another program may be there when it is heard again
        if self._divides is False:
            return {0: Subscription(password)}
        asking = range(self._share_count if self._divides else 1)
        return {number: Subscription(password, number, self._share_count) for number in asking}

    def count(self, number: int, counters: npt.NDArray[np.uint64], now: float) -> bool:
        """Takes note of records that came to a socket; true if subscriptions should change now."""
        self.received += len(counters)
        self._heard = now
        before = self._divides
        if before is not False:
            self._look_for_shares(number, counters)
        if number not in self._estimates:
            self._estimates[number] = LossEstimate(
                1 if self._divides is False else self._share_count
            )
        self._estimates[number].count(counters)
        return self._divides is not before

    def statistics(self) -> SprayerLinkStatistics:
        """The figures as they are now."""
        lost = self._earlier_lost + sum(e.lost for e in list(self._estimates.values()))
        return SprayerLinkStatistics(self._name, self.received, lost, self._divides)

    def _look_for_shares(self, number: int, counters: npt.NDArray[np.uint64]) -> None:
        if (counters % np.uint64(self._share_count) != number).any():
            self._set_divides(False)
        elif self._divides is None:
            self._convincing += len(counters)
            if self._convincing >= _CONVINCING:
                self._set_divides(True)

    def _set_divides(self, divides: bool | None) -> None:
        if divides is self._divides:
            return
        self._divides = divides
        self._convincing = 0
        if divides is not True:  # the counters of one socket are counted with another step now
            self._earlier_lost += sum(estimate.lost for estimate in self._estimates.values())
            self._estimates = {}
