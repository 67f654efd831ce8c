"""What Ctrl-C and SIGTERM do to a service, while it starts and afterwards."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, TypeVar

import click

T = TypeVar("T")

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """The signals that stop the program, taken over by the running event loop.

    Until `started` is called they cancel the task that made this object: starting may take long,
    and there is nothing to finish. From then on they only set `stop`.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._starting = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal)

    def started(self) -> None:
        """From now on there is something to finish."""
        self._starting = None

    def _on_signal(self) -> None:
        self.stop.set()
        if self._starting is not None:
            self._starting.cancel()


def run_with_signals(service: Callable[[StopSignals], Coroutine[Any, Any, T]]) -> T:
    """Runs a service to its end; `click.Abort` if a signal came while it started."""

    async def run() -> T:
        return await service(StopSignals())

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        raise click.Abort from None


def serve_until_signalled(running: AbstractAsyncContextManager[object]) -> None:
    """Runs a service, which runs while its context is entered, until a signal comes."""

    async def serve(signals: StopSignals) -> None:
        async with running:
            signals.started()
            await signals.stop.wait()

    run_with_signals(serve)
