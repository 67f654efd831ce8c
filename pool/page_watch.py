"""What the pool's page knows: the master asks paymaker and handlers, often while somebody looks.

What was told last stays when they do not answer; it gets older, and the page says how old it is.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, Generic, TypeVar

import aiohttp

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.http import HttpLimits, PoolNonsense, PoolNotReady, get
from packetcrypt.operations.health import Grade
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.node_follower import NodeFollower
from packetcrypt.pool.page_handlers import HandlerKind, HandlerState, ask_handlers
from packetcrypt.pool.page_paymaker import ListedBlock, PaymakerReport, decode_blocks
from packetcrypt.pool.page_rates import RateHistory, RateSample, times_before
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.protocol.errors import DecodeError, PoolError

WATCHED_SECONDS: Final = 5.0
"""between two questions while somebody looks; the paymaker's answers are up to two seconds old"""
UNWATCHED_SECONDS: Final = 30.0
"""while nobody does: what the charts need"""
VISIT_SECONDS: Final = 30.0
"""how long somebody who got a page counts as looking"""
PATIENCE_SECONDS: Final = 1.5
"""how long a page waits for newer figures; it is shown with the older ones then"""

#: 20 000 miners on both sides.
_LIMITS: Final = HttpLimits(body_size=16 << 20, seconds=10.0)

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Told(Generic[T]):
    """What somebody said last.

    value        : None: nothing yet
    at           : when, milliseconds since 1970
    silent_since : since when there is no answer, or none that can be read; None: it answers
    """

    value: T | None = None
    at: int | None = None
    silent_since: int | None = None

    def told(self, value: T, now: int) -> "Told[T]":
        """After an answer."""
        return Told(value, now, None)

    def silent(self, now: int) -> "Told[T]":
        """After a question without one."""
        return replace(self, silent_since=self.silent_since or now)


@dataclass(frozen=True)
class PoolState:
    """Everything that the pages are made of.

    height      : that is mined now; None: the node has not answered yet
    tip         : hash of the block before, as displayed
    tip_seen    : when the master saw it come, milliseconds since 1970; None: before its start
    node_silent : since when the node does not answer; None: it does
    blocks      : newest first; lists_blocks is false where the paymaker has no such list
    """

    height: int | None = None
    tip: str | None = None
    tip_seen: int | None = None
    node_silent: int | None = None
    paymaker: Told[PaymakerReport] = Told()
    blocks: Told[tuple[ListedBlock, ...]] = Told()
    lists_blocks: bool = True
    handlers: tuple[HandlerState, ...] = ()
    rates: tuple[RateSample, ...] = field(default=(), repr=False)


class PoolWatch:
    """Keeps a `PoolState` up to date, on one event loop.

    is_watched : whether somebody looks at it live
    on_change  : called when the state has become another one
    """

    def __init__(
        self,
        settings: MasterSettings,
        follower: NodeFollower,
        session: aiohttp.ClientSession,
        is_watched: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self.state = PoolState(
            handlers=(
                *(HandlerState(HandlerKind.ANNOUNCEMENTS, url) for url in settings.ann_handlers),
                *(HandlerState(HandlerKind.BLOCK_SHARES, url) for url in settings.block_handlers),
            )
        )
        self._node_seconds = settings.poll_interval
        self._paymaker_url = settings.paymaker_url.rstrip("/")
        self._follower = follower
        self._session = session
        self._is_watched = is_watched
        self._on_change = on_change
        self._complaints = Complaints(_log)
        self._rates = RateHistory()
        self._earlier: list[int] | None = None
        self._visited = self._asked = -VISIT_SECONDS - UNWATCHED_SECONDS
        self._round: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Asks whoever is due to be asked; call it about once a second."""
        await asyncio.shield(self._one_round())

    async def visit(self) -> None:
        """Somebody wants a page: newer figures are waited for, for a moment."""
        self._visited = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.look()

    async def close(self) -> None:
        """Ends the round under way."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    def _one_round(self) -> asyncio.Task[None]:
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._look())
        return self._round

    async def _look(self) -> None:
        before, now = self.state, time.monotonic()
        is_visited = now - self._visited < VISIT_SECONDS
        interval = WATCHED_SECONDS if is_visited or self._is_watched() else UNWATCHED_SECONDS
        is_new_block = self._see_tip()
        self._see_node()
        if is_new_block and self.state is not before:
            self._on_change()  # what is known at once; the others may take a while to answer
            before = self.state
        if is_new_block or now - self._asked >= interval:
            self._asked = now
            await asyncio.gather(self._ask_paymaker(), self._ask_blocks(), self._ask_handlers())
        elif self._earlier:
            await self._ask_earlier(self._earlier.pop(0))
        if self.state != before:
            self._on_change()

    def _see_tip(self) -> bool:
        current = self._follower.current
        if current is None:
            return False
        tip = current.tip_hash[::-1].hex()
        if tip == self.state.tip:
            return False
        # At the start nobody knows how long it has been there.
        seen = None if self.state.tip is None else milliseconds_now()
        self.state = replace(self.state, height=current.height, tip=tip, tip_seen=seen)
        return True

    def _see_node(self) -> None:
        contact = self._follower.contact
        silent = None
        if contact.check(self._node_seconds).grade is not Grade.GOOD:
            silent = self.state.node_silent or milliseconds_now() - round(1000 * contact.silence)
        self.state = replace(self.state, node_silent=silent)

    async def _ask_paymaker(self) -> None:
        try:
            report = await self._who_to_pay("")
        except PoolError as error:
            self._complain(error)
            silent = self.state.paymaker.silent(milliseconds_now())
            self.state = replace(self.state, paymaker=silent)
            return
        self._complaints.resolve(("paymaker",), "the paymaker answers the pool's page again.")
        if self._earlier is None:
            # Only ours is sure to know what "then" means.
            self._earlier = times_before(report.generated) if report.why is not None else []
        self._rates.add_newest(RateSample(report.generated, report.kbps, report.encryptions))
        told = self.state.paymaker.told(report, milliseconds_now())
        self.state = replace(self.state, paymaker=told, rates=self._rates.samples)

    async def _ask_earlier(self, at: int) -> None:
        """One sample of before the master's start."""
        try:
            report = await self._who_to_pay(f"?maxtime={at}")
        except PoolError:
            self._earlier = []
            return
        self._rates.add(RateSample(at, report.kbps, report.encryptions))
        self.state = replace(self.state, rates=self._rates.samples)

    async def _who_to_pay(self, query: str) -> PaymakerReport:
        body = await self._get("/whotopay" + query)
        try:
            return await asyncio.to_thread(PaymakerReport.decode, body)
        except DecodeError as error:
            raise PoolNonsense(f"{self._paymaker_url}/whotopay: {error}") from error

    async def _ask_blocks(self) -> None:
        url = self._paymaker_url + "/blocks"
        try:
            answer = await get(self._session, url, _LIMITS)
            if answer.status == HTTPStatus.NOT_FOUND:  # an existing paymaker
                self.state = replace(self.state, lists_blocks=False)
                return
            _check(url, answer.status)
            blocks = decode_blocks(answer.body)
        except (PoolError, DecodeError) as error:
            self._complain(error)
            silent = self.state.blocks.silent(milliseconds_now())
            self.state = replace(self.state, blocks=silent)
            return
        told = self.state.blocks.told(blocks, milliseconds_now())
        self.state = replace(self.state, blocks=told, lists_blocks=True)

    async def _ask_handlers(self) -> None:
        states = await ask_handlers(self._session, self.state.handlers, milliseconds_now())
        self.state = replace(self.state, handlers=states)

    async def _get(self, path: str) -> bytes:
        url = self._paymaker_url + path
        answer = await get(self._session, url, _LIMITS)
        _check(url, answer.status)
        return answer.body

    def _complain(self, error: Exception) -> None:
        text = f"the pool's page shows older figures: {error}"
        self._complaints.report(("paymaker",), text)


def _check(url: str, status: int) -> None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PoolNotReady(f"GET {url} answered {status}: the paymaker is starting or overloaded.")
    if status != HTTPStatus.OK:
        raise PoolNonsense(f"GET {url} answered {status}: check paymaker_url.")
