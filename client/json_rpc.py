"""How a JSON-RPC 1.0 server is asked over HTTP, and what it means when it does not answer.

Every error names the call, the URL, the reason and the remedy. There is a class for each thing that
a caller may have to do next: try again, find out whether it was done, mend a setting, or accept
what the server said.
"""

import base64
import json
import ssl
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from packetcrypt.client.http import (
    HttpAnswer,
    HttpLimits,
    PoolNonsense,
    PoolUnreachable,
    connection_problem,
    post,
)
from packetcrypt.protocol.errors import DecodeError, PoolError
from packetcrypt.protocol.json_fields import I32_MAX, JsonFields

ANSWER_LIMIT: Final = 64 << 20
"""bytes: a block of 4 MiB in hexadecimal, its transactions once more, and room"""

_PARSED_FROM: Final = "the answer"


class RpcError(PoolError):
    """A call that did not succeed."""


class RpcUnreachable(RpcError):
    """There was no connection, so that nothing was asked. Worth trying again."""


class RpcUnanswered(RpcError):
    """The call was sent, or part of it, and no answer came: it may have been carried out."""


class RpcBusy(RpcError):
    """The server is starting or takes no more calls now (HTTP 503). Worth trying again."""


class RpcMisconfigured(RpcError):
    """It is not the server that was meant, or it does not let this program in."""


class RpcRefused(RpcError):
    """The server's own error: the call was understood, and not carried out.

    code, reason : as the server gave them; code is None if it gave none
    """

    def __init__(self, message: str, code: int | None, reason: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class JsonRpcClient:
    """Asks one server.

    name     : what the server is called in messages, e.g. "pktd"
    settings : where its URL, user, password and certificate are set, for messages, e.g. "[pktd]"
    seconds  : in which a call must be answered
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        user: str,
        password: str,
        seconds: float,
        *,
        name: str,
        settings: str,
    ) -> None:
        self._session = session
        self._url = url
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/json",
        }
        self._limits = HttpLimits(ANSWER_LIMIT, seconds)
        self._name = name
        self._settings = settings
        self._last_id = 0

    async def call(self, method: str, *params: object) -> Any:
        """The call's result, decoded from JSON; raises one of the errors above."""
        self._last_id = call_id = self._last_id % I32_MAX + 1
        request = {"jsonrpc": "1.0", "id": call_id, "method": method, "params": params}
        try:
            answer = await post(
                self._session, self._url, json.dumps(request).encode(), self._limits, self._headers
            )
        except PoolUnreachable as error:
            raise self._not_answered(method, error) from error
        except PoolNonsense as error:
            raise RpcMisconfigured(f"{self._failed(method)}: {error}") from error
        self._check_status(method, answer)
        try:
            return self._result(method, call_id, answer)
        except DecodeError as error:
            raise RpcMisconfigured(
                f"{self._failed(method)}: it answered {answer.status}, which is no JSON-RPC "
                f"({error}). Check url in {self._settings}: {self._hint_for(answer)}."
            ) from error

    def _result(self, method: str, call_id: int, answer: HttpAnswer) -> Any:
        fields = JsonFields.parse(answer.body, _PARSED_FROM)
        if fields.integer("id", 0, I32_MAX) != call_id:
            raise DecodeError(f"{_PARSED_FROM}: it answers another call")
        if not fields.is_absent("error"):
            error = fields.fields("error")
            # pktd leaves the code out of some errors.
            is_coded = not error.is_absent("code")
            code = error.integer("code", -I32_MAX - 1, I32_MAX) if is_coded else None
            reason = error.text("message")
            number = f" {code}" if is_coded else ""
            raise RpcRefused(
                f"{self._failed(method)}: it answered error{number}: {reason}", code, reason
            )
        return fields.value("result")

    def _check_status(self, method: str, answer: HttpAnswer) -> None:
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise RpcMisconfigured(
                f"{self._failed(method)}: it answered {answer.status}: it has another user or "
                f"password, or does not let this machine in. Make user and password in "
                f"{self._settings} equal to rpcuser and rpcpass of {self._name}."
            )
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise RpcBusy(
                f"{self._failed(method)}: it answered 503: it is starting, or has too many "
                f"clients. Look at its log, or raise its rpcmaxclients."
            )

    def _not_answered(self, method: str, error: PoolUnreachable) -> RpcError:
        """The kind of error, by what aiohttp raised."""
        match error.__cause__:
            case aiohttp.ClientConnectorCertificateError() as cause:
                return RpcMisconfigured(
                    f"{self._failed(method)}: its TLS certificate is not trusted "
                    f"({_verification_problem(cause)}). Give the path of its certificate "
                    f"(rpc.cert) as tls_certificate in {self._settings}, and in url a host name "
                    "that the certificate is for."
                )
            case aiohttp.ClientSSLError():
                return RpcMisconfigured(
                    f"{self._failed(method)}: it does not speak TLS there. "
                    f"Give url in {self._settings} with http:// if it runs without TLS."
                )
            case aiohttp.ClientConnectorError() as cause:
                return RpcUnreachable(
                    f"{self._failed(method)}: no connection ({connection_problem(cause)}). "
                    f"Start {self._name}, or correct url in {self._settings}."
                )
            case TimeoutError():
                return RpcUnanswered(
                    f"{self._failed(method)}: it took longer than {self._limits.seconds:g} s. Look "
                    f"at the log of {self._name}, or raise timeout in {self._settings}."
                )
            case cause:
                return RpcUnanswered(
                    f"{self._failed(method)}: the connection broke ({cause!r}). "
                    f"Look at the log of {self._name}."
                )

    def _hint_for(self, answer: HttpAnswer) -> str:
        if answer.status == HTTPStatus.BAD_REQUEST and self._url.startswith("http:"):
            # What servers written in Go say to plain HTTP on a TLS port.
            return "if the server runs with TLS, give it with https://"
        return f"another program than {self._name} listens there"

    def _failed(self, method: str) -> str:
        return f"{self._name} at {self._url} did not answer {method}"


def tls_context(certificate: str | None, *, is_verified: bool) -> ssl.SSLContext | bool:
    """What aiohttp takes as `ssl`.

    certificate : path of the only certificate (or authority) to trust; None: those of the system.
                  OSError, or ssl.SSLError, which is one, if the file cannot be used
    is_verified : false: any certificate is good
    """
    if not is_verified:
        return False
    if certificate is None:
        return True
    return ssl.create_default_context(cafile=certificate)


def _verification_problem(error: aiohttp.ClientConnectorCertificateError) -> str:
    inner = error.certificate_error
    return str(getattr(inner, "verify_message", "") or inner)
