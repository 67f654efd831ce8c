"""How the node learns whom to pay: at the start, and every `update_cycle` (spec 2 "Paymaker")."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.json_rpc import RpcRefused
from packetcrypt.client.pktd import PktdClient
from packetcrypt.operations.contact import Contact
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_reckoning import Reckoning
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.pool.paymaker_statistics import PaymakerStatistics
from packetcrypt.protocol.errors import PoolError

INTERNAL_ERROR: Final = -32603
"""what pktd says while it is busy with itself"""
RETRIES: Final = 20
RETRY_SECONDS: Final = 1.0

_NODE: Final = ("payout",)

_log = logging.getLogger(__name__)


class Payouts:
    """Tells the node, again and again. Use on one event loop.

    contact            : with the node
    pays_error_address : whether the node was told so last
    """

    def __init__(
        self,
        node: PktdClient,
        reckoning: Reckoning,
        settings: PaymakerSettings,
        statistics: PaymakerStatistics,
    ) -> None:
        self._node = node
        self._reckoning = reckoning
        self._settings = settings
        self._statistics = statistics
        self._complaints = Complaints(_log)
        self._due = 0.0
        self._told_at = time.monotonic()
        self.contact = Contact("the node")
        self.pays_error_address = False

    @property
    def silence(self) -> float:
        """Seconds since the node last took a payout, or since the start."""
        return time.monotonic() - self._told_at

    async def tell_if_due(self) -> None:
        """One round, if its time has come. Trouble is reported; the next round tries again."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._settings.update_cycle
        try:
            payout = (await self._reckoning.compute(milliseconds_now())).payout
        except Exception:
            # Whatever is wrong with the books, blocks are found meanwhile and must pay somebody.
            _log.exception("the payout cannot be computed: error_address is paid")
            await self._pay_error_address()
            return
        try:
            await self._configure(payout)
        except RpcRefused as error:
            self._complaints.report(_NODE, f"{error} Now error_address is paid.")
            await self._pay_error_address()
        except PoolError as error:
            self._statistics.failed_payouts += 1
            self._complaints.report(_NODE, f"{error} The node pays as it did before.")
        else:
            self._told_at = time.monotonic()
            self.pays_error_address = False
            self._reckoning.latest_payout = milliseconds_now()
            self._statistics.payouts += 1
            self._complaints.resolve(_NODE, "the node takes payouts again.")
            _log.info("told pktd to pay %d addresses", len(payout))

    async def _pay_error_address(self) -> None:
        try:
            await self._configure({self._settings.error_address: 1.0})
        except PoolError as error:
            self._statistics.failed_payouts += 1
            self._complaints.report(
                ("error address",), f"error_address cannot be paid either: {error}"
            )
        else:
            self.pays_error_address = True
            self._statistics.error_payouts += 1

    async def _configure(self, payout: Mapping[str, float]) -> None:
        for _ in range(RETRIES):
            try:
                return await self._ask(payout)
            except RpcRefused as error:
                if error.code != INTERNAL_ERROR:
                    raise
            await asyncio.sleep(RETRY_SECONDS)
        return await self._ask(payout)

    async def _ask(self, payout: Mapping[str, float]) -> None:
        try:
            await self._node.configure_mining_payouts(payout)
        except RpcRefused:
            self.contact.note_answer()
            raise
        except PoolError:
            self.contact.note_failure()
            raise
        self.contact.note_answer()
