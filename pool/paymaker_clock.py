"""Which time it is, in the unit of events."""

import time


def milliseconds_now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
