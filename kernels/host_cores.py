"""How many processor cores this process may use."""

import os


def usable_cores() -> int:
    """How many CPU cores this process may run on: its affinity where the system has that."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
