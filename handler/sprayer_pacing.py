"""How many announcements may be sprayed now, so that receivers have time to take them.

Announcements come in bursts: a checked batch is 4096, and the receive buffer that Linux gives
unasked holds three datagrams of 63. UDP has no way to say "wait". So a burst is spread over a tenth
of a second: the more wait, the faster they go, which settles at the rate at which they come.
"""

SPREAD_SECONDS = 0.1
_SHORTEST_SLEEP = 0.0002
_LONGEST_SLEEP = 0.01


class Pacer:
    """A token bucket whose rate follows what waits.

    max_rate : announcements a second
    burst    : most announcements at once
    unit     : announcements worth waiting for, if so many wait: a whole datagram
    """

    def __init__(self, max_rate: int, burst: int, unit: int, now: float) -> None:
        self._max_rate = max_rate
        self._burst = burst
        self._unit = min(unit, burst)
        self._tokens = 0.0
        self._last = now

    def grant(self, waiting: int, shares: int, now: float) -> int:
        """How many of those that wait may go now.

        shares : sockets among which every receiver has them divided; each has its own buffer
        """
        passed = now - self._last
        self._last = now
        self._tokens += self._rate(waiting) * passed
        self._tokens = min(self._tokens, float(self._burst * shares))
        wanted = min(waiting, self._unit * shares)
        if not wanted or self._tokens < wanted:
            return 0
        granted = min(waiting, int(self._tokens))
        granted -= granted % wanted
        self._tokens -= granted
        return granted

    def pause(self, waiting: int, shares: int) -> float:
        """Seconds until some of those that wait may go, roughly."""
        missing = min(waiting, self._unit * shares) - self._tokens
        seconds = missing / max(self._rate(waiting), 1.0)
        return min(max(seconds, _SHORTEST_SLEEP), _LONGEST_SLEEP)

    def _rate(self, waiting: int) -> float:
        return min(waiting / SPREAD_SECONDS, float(self._max_rate))
