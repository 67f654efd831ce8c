"""Whether the paymaker has taken over a pay log (spec 2 "Paymaker")."""

import hashlib
from http import HTTPStatus

import aiohttp

from packetcrypt.client.http import (
    HttpLimits,
    PoolNonsense,
    PoolNotReady,
    basic_authorization,
    check_url,
    post,
)
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields

REPLY_SIZE_LIMIT = 64 * 1024
EVENT_ID_SIZE = 16
USER = "x"


def pay_log_event_id(body: bytes) -> str:
    """What the paymaker must answer to a pay log: the first 32 hex digits of its SHA-256."""
    return hashlib.sha256(body).digest()[:EVENT_ID_SIZE].hex()


class PaymakerClient:
    """Uploads pay logs to one paymaker.

    password : of the HTTP Basic user `x`; seconds : in which an upload must be answered
    """

    def __init__(
        self, session: aiohttp.ClientSession, paymaker_url: str, password: str, seconds: float
    ) -> None:
        self._session = session
        self._url = check_url(paymaker_url).rstrip("/") + "/events"
        self._headers = {
            "Authorization": basic_authorization(USER, password),
            "Content-Type": "application/x-ndjson",
        }
        self._limits = HttpLimits(REPLY_SIZE_LIMIT, seconds)

    async def upload(self, body: bytes) -> None:
        """`POST /events`: newline-separated JSON events.

        Returns when the paymaker has named the event id of exactly these bytes: only then may they
        be deleted. Otherwise raises one of client.http's `PoolError`s, and they must be uploaded
        again, unchanged: the same bytes are paid once.
        """
        answer = await post(self._session, self._url, body, self._limits, self._headers)
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise PoolNonsense(
                f"the paymaker {self._url} answered {answer.status}: it has another password than "
                "paymaker_http_password. Make them equal in both pool.toml files."
            )
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PoolNotReady(
                f"the paymaker {self._url} is not ready: it answered {answer.status}. "
                "It is starting, or its disk or node is down; look at its log."
            )
        if answer.status != HTTPStatus.OK:
            raise PoolNonsense(
                f"the paymaker {self._url} answered {answer.status}: check paymaker_url "
                "in the master's settings; it must lead to the paymaker's private_bind if that is "
                "set."
            )
        self._check_event_id(body, answer.body)

    def _check_event_id(self, body: bytes, reply: bytes) -> None:
        try:
            fields = JsonFields.parse(reply, "reply to events").fields("result")
            event_id = fields.hex_bytes("eventId", EVENT_ID_SIZE).hex()
        except DecodeError as error:
            raise PoolNonsense(
                f"the paymaker {self._url} did not confirm a pay log: {error}. Look at its log."
            ) from error
        if event_id != pay_log_event_id(body):
            raise PoolNonsense(
                f"the paymaker {self._url} confirmed another pay log ({event_id}) than it was sent "
                f"({pay_log_event_id(body)}): something on the way changes or mixes up requests."
            )
