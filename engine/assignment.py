"""What the workers of an engine should be doing right now: which work, nothing, or the end."""

import threading
from dataclasses import dataclass

from packetcrypt.engine.work import AnnouncementWork


@dataclass(frozen=True)
class Order:
    """One decision of the engine's user.

    work   : what to mine; None to pause
    closed : the end: nothing follows
    """

    work: AnnouncementWork | None = None
    closed: bool = False


class Assignment:
    """Where the engine's user leaves an order and the workers find it. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._order = Order()

    @property
    def current(self) -> Order:
        """The latest order. Workers compare it by identity: a new order is a new object."""
        return self._order

    def give(self, order: Order) -> None:
        """Replace the order. Ignored if it says the same as the current one, or after the end."""
        with self._changed:
            if self._order.closed or order == self._order:
                return
            self._order = order
            self._changed.notify_all()

    def wait_for_change(self, known: Order) -> Order:
        """Sleep until the order is another than `known`, and return it."""
        with self._changed:
            self._changed.wait_for(lambda: self._order is not known)
            return self._order
