"""How a blocking call is awaited that must not hold up the end of the program.

The threads of an executor are joined when the event loop ends, and again when the interpreter does,
however long their call takes: a name server that does not answer, a driver under test. The thread
of a call made here is left behind instead.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_daemon_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of the call, or what it raised. Cancelling the wait leaves the call to itself.

    Every call has a new thread, so callers bound how many there are.
    """
    outcome: Future[T] = Future()

    def call() -> None:
        if not outcome.set_running_or_notify_cancel():
            return
        try:
            outcome.set_result(function(*args, **kwargs))
        except Exception as error:
            outcome.set_exception(error)

    name = getattr(function, "__name__", "call")
    threading.Thread(target=call, name=f"packetcrypt {name}", daemon=True).start()
    return await asyncio.wrap_future(outcome)
