"""How many connections the system lets a service hold open."""

import logging
import resource
from typing import Final

RESERVE: Final = 128
"""files beside its clients' connections: a service's own, and connections that it makes"""

_log = logging.getLogger(__name__)


def room_for_connections(wanted: int) -> int:
    """How many of the wanted connections there is room for, at least one.

    Systems start a program with a limit of 1024 open files, which it may raise itself up to another
    one; that is done here. A service that ran into the limit could not open its own files either,
    so what is beyond it is not taken, with a warning that names the remedy.
    """
    needed = wanted + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _is_enough(soft, needed):
        return wanted
    allowed = needed if _is_enough(hard, needed) else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    room = max(1, allowed - RESERVE)
    if room < wanted:
        _log.warning(
            "max_connections = %d, but this system allows %d open files, which is room for %d: "
            "raise the limit (systemd: LimitNOFILE=%d, in a shell as root: ulimit -Hn %d)",
            *(wanted, hard, room, needed, needed),
        )
    return room


def _is_enough(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
