"""What a block handler answers over HTTP."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.json_rpc import RpcRefused
from packetcrypt.handler.block_judging import BlockJudging
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.block_share import (
    BODY_LIMIT,
    ShareRefused,
    WrongWork,
    pay_to_of,
    read_share,
)
from packetcrypt.handler.block_state import BlockState
from packetcrypt.handler.block_statistics import BlockStatistics
from packetcrypt.handler.block_submission import AlreadyHaveBlock
from packetcrypt.handler.client_limit import ClientLimit
from packetcrypt.handler.http_answers import (
    BodyTooLong,
    Overloaded,
    answering_problems,
    json_answer,
    read_body,
)
from packetcrypt.handler.settings import SUBMIT_PATH
from packetcrypt.operations.endpoints import HEALTH_PATH, METRICS_PATH, Operations
from packetcrypt.protocol.errors import PoolError
from packetcrypt.protocol.share_messages import ShareReply

_NOT_JUDGED = frozenset({-32601, -28, -10, -9})
"""JSON-RPC errors that say nothing about the share: no such method (it is no pktd), warming up,
still fetching the chain, not connected"""

_log = logging.getLogger(__name__)


class BlockServer:
    """The HTTP side of one block handler.

    state   : asked at every post, for what is mined now
    clients : whose shares are under way
    """

    def __init__(
        self,
        settings: BlockHandlerSettings,
        state: Callable[[], BlockState | None],
        judging: BlockJudging,
        statistics: BlockStatistics,
        operations: Operations,
    ) -> None:
        self.clients = ClientLimit(settings.max_waiting_per_client, statistics)
        self._proxies = settings.pool.proxies
        self._operations = operations
        self._settings = settings
        self._state = state
        self._judging = judging
        self._statistics = statistics
        self._complaints = Complaints(_log)

    def application(self, has_private: bool) -> web.Application:
        """The aiohttp application, with the private routes or without."""
        operations = self._operations
        application = web.Application(
            middlewares=[operations.middleware(), answering_problems(_error_body)]
        )
        if has_private:
            application.router.add_get(METRICS_PATH, operations.get_metrics)
        # A reverse proxy may take the path of public_url off; without one it comes along.
        for prefix in {"", self._settings.public_path}:
            application.router.add_post(prefix + SUBMIT_PATH, self._submit)
            application.router.add_get(prefix + HEALTH_PATH, operations.get_health)
        return application

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        try:
            with self.clients.counted(self._proxies.client_of(request)):
                return await self._judged(request)
        except Overloaded:
            return _refusal(HTTPStatus.NOT_IMPLEMENTED, "overloaded")
        except WrongWork as refusal:
            self._statistics.stale += 1
            return _refusal(HTTPStatus.BAD_REQUEST, str(refusal))
        except ShareRefused as refusal:
            self._statistics.invalid += 1
            return _refusal(HTTPStatus.BAD_REQUEST, str(refusal))
        except AlreadyHaveBlock as refusal:
            self._statistics.rejected += 1
            return _refusal(HTTPStatus.CONFLICT, str(refusal))
        except RpcRefused as refusal:
            if refusal.code in _NOT_JUDGED:
                return self._failure("its node cannot judge shares now", refusal)
            self._statistics.rejected += 1
            return _refusal(HTTPStatus.BAD_REQUEST, f"pktd refused the share: {refusal.reason}")
        except PoolError as error:
            return self._failure("its node does not answer", error)
        except OSError as error:
            return self._failure("its disk does not take the pay log", error)
        except web.HTTPException:
            raise
        except Exception:
            # The outermost loop: whatever is wrong with this share, the next is served.
            self._statistics.failed += 1
            _log.exception("a share failed")
            text = "internal error: send the share again"
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, text)

    async def _judged(self, request: web.Request) -> web.Response:
        self._judging.refuse_if_full()
        if self._state() is None:
            self._statistics.failed += 1
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "server not ready")
        pay_to, warnings = pay_to_of(request.headers)
        body = await self._read_body(request)
        # What is mined may have changed while the body came.
        state = self._state()
        assert state is not None
        share = read_share(body, pay_to, state, self._settings.pool.private_seed)
        credited = await self._judging.credit(share)
        reply = ShareReply(credited.result, (*warnings, *credited.warnings))
        return json_answer(HTTPStatus.OK, reply.encode())

    async def _read_body(self, request: web.Request) -> bytes:
        try:
            return await read_body(request, BODY_LIMIT, self._settings.request_timeout)
        except BodyTooLong:
            raise ShareRefused(f"size above the limit of {BODY_LIMIT} bytes") from None
        except web.HTTPException:
            self._statistics.invalid += 1
            raise

    def _failure(self, what: str, error: Exception) -> web.Response:
        """The miner did nothing wrong, and may send its share again."""
        self._statistics.failed += 1
        self._complaints.report((what,), f"shares are not credited: {error}")
        text = f"server not ready: {what}, send the share again"
        return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, text)


def _refusal(status: int, text: str) -> web.Response:
    return json_answer(status, _error_body(text))


def _error_body(text: str) -> bytes:
    return ShareReply(None, errors=(text,)).encode()
