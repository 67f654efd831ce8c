"""How often the payout is computed, and by whom: in a thread of its own, as often as needed."""

import asyncio
import json
import time
from typing import Final

from packetcrypt.handler.http_answers import Overloaded
from packetcrypt.pool.paymaker_answers import who_to_pay_as_json
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_history import History
from packetcrypt.pool.paymaker_report import WhoToPay, who_to_pay
from packetcrypt.pool.paymaker_settings import PaymakerSettings

ANSWER_SECONDS: Final = 2.0
"""how long an answer serves everybody who asks for the payout of now"""
WAITING_MAX: Final = 32
"""questions that may wait: computing takes part of a second, and anybody may ask"""


class Reckoning:
    """Computes payouts from the history, one at a time.

    latest_payout : when the node last took one, milliseconds since 1970; for the answers
    """

    def __init__(self, history: History, settings: PaymakerSettings) -> None:
        self.latest_payout: int | None = None
        self._history = history
        self._settings = settings
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._answer = b""
        self._answered_at = -ANSWER_SECONDS

    async def compute(self, at: int) -> WhoToPay:
        """The payout by what happened up to `at`, milliseconds since 1970."""
        async with self._turn:
            return await asyncio.to_thread(self._compute, at)

    async def answer(self, maxtime: int | None) -> bytes:
        """What `GET /whotopay` says; None: of now. `Overloaded` if too many wait for it."""
        if self._waiting >= WAITING_MAX:
            raise Overloaded
        self._waiting += 1
        try:
            async with self._turn:
                if maxtime is not None:
                    return await asyncio.to_thread(self._encode, maxtime)
                if time.monotonic() - self._answered_at >= ANSWER_SECONDS:
                    self._answer = await asyncio.to_thread(self._encode, milliseconds_now())
                    self._answered_at = time.monotonic()
                return self._answer
        finally:
            self._waiting -= 1

    def _compute(self, at: int) -> WhoToPay:
        return who_to_pay(self._history.snapshot(), self._settings.rules, at)

    def _encode(self, at: int) -> bytes:
        answer = who_to_pay_as_json(
            self._compute(at),
            history=self._settings.history_milliseconds,
            generated=milliseconds_now(),
            latest_payout=self.latest_payout,
        )
        return json.dumps(answer).encode()
