"""Where the handler waits for its disk: one thread, so that writes keep their order."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DiskThread:
    """Runs blocking calls one after another."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "handler-disk")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of the call, which goes on to its end even if the wait for it is cancelled."""
        return await asyncio.wrap_future(self._executor.submit(function, *args, **kwargs))

    def close(self) -> None:
        """Waits for what is still to be done."""
        self._executor.shutdown()
