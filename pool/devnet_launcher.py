"""How a process is bound to the life of the one that starts it, however that one ends.

Run as a program, by path: `devnet_launcher.py PARENT COMMAND [ARGUMENT…]` becomes COMMAND in the
same process, and the kernel kills it as soon as the process PARENT, which started it, is gone. A
supervisor that is itself killed by SIGKILL can run no code any more; only the kernel can.
"""

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""from <linux/prctl.h>"""


def become(parent: int, command: list[str]) -> None:
    """Replaces this program by `command`, an absolute path and its arguments; OSError if not."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # The setting outlives exec. It is not inherited: what `command` starts in turn is its affair.
    if prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have ended before the kernel knew that this matters.
    if os.getppid() == parent:
        os.execv(command[0], command)


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
