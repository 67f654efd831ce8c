"""Calls that may take longer than the program lives."""

import asyncio
import subprocess
import sys
import threading

import pytest

from packetcrypt.client.daemon_thread import run_in_daemon_thread


async def test_the_result_comes_back() -> None:
    assert await run_in_daemon_thread(int, "ff", base=16) == 255


async def test_the_error_comes_back() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await run_in_daemon_thread(int, "none")


async def test_whoever_is_cancelled_waits_no_longer() -> None:
    go_on = threading.Event()
    waiting = asyncio.create_task(run_in_daemon_thread(go_on.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()


def test_a_call_without_end_does_not_hold_the_program() -> None:
    program = """
import asyncio, threading
from packetcrypt.client.daemon_thread import run_in_daemon_thread

async def main():
    endless = asyncio.create_task(run_in_daemon_thread(threading.Event().wait))
    await asyncio.sleep(0)
    endless.cancel()

asyncio.run(main())
print("left")
"""
    left = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60)
    assert (left.returncode, left.stdout, left.stderr) == (0, b"left\n", b"")
