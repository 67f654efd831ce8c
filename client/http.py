"""How a pool's service is asked over HTTP, with every cost bounded.

An answer has a size limit and a time limit. What goes wrong is a `PoolError` of one of three kinds,
because callers treat them differently: nobody answered, the service is not ready yet, or it is not
the service that was asked for.
"""

import base64
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from packetcrypt.protocol.errors import ConfigError, PoolError

READ_CHUNK = 65536


class PoolUnreachable(PoolError):
    """Nobody answered in time: the service is down, or the way to it is. Worth trying again."""


class PoolNotReady(PoolError):
    """The service answered 5xx: it is starting, or something behind it is down. Try again."""


class PoolNonsense(PoolError):
    """The answer is none that the protocol allows: a wrong URL, or a broken service."""


@dataclass(frozen=True)
class HttpAnswer:
    """A complete answer: status code, media type without parameters, body."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True)
class HttpLimits:
    """What one exchange may cost: body_size is the answer's in bytes, seconds are for all of it."""

    body_size: int
    seconds: float


def check_url(text: str) -> str:
    """A URL that a service can be asked at, unchanged; ConfigError says why another is none."""
    try:
        url = URL(text)
        is_service = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
        (url.raw_host or "").encode("idna")  # a name with an empty label, "a..b", is none
    except ValueError:
        is_service = False
    if not is_service:
        raise ConfigError(
            f"{text!r} is not the URL of a service: "
            "give a URL that begins with http:// or https://, e.g. http://pool.example/master"
        )
    return text


def basic_authorization(user: str, password: str) -> str:
    """The Authorization header of HTTP Basic."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def get(
    session: aiohttp.ClientSession,
    url: str,
    limits: HttpLimits,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """The answer to a GET, whatever its status; redirections are followed."""
    return await _exchange(session, "GET", url, limits, headers, body=None)


async def post(
    session: aiohttp.ClientSession,
    url: str,
    body: bytes,
    limits: HttpLimits,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """The answer to a POST, whatever its status; a redirection is an answer like any other."""
    return await _exchange(session, "POST", url, limits, headers, body)


@asynccontextmanager
async def open_stream(
    session: aiohttp.ClientSession,
    url: str,
    seconds_of_silence: float,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """A GET whose body is read piece by piece, for what is too large to be held at once.

    seconds_of_silence : how long the service may send nothing; the whole may take any time

    The reader bounds how much it takes. What goes wrong in the block raises as in `get`.
    """
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=seconds_of_silence, sock_read=seconds_of_silence
    )
    with _translating("GET", url, seconds_of_silence):
        async with session.get(url, headers=headers, timeout=timeout) as response:
            yield response


async def _exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    limits: HttpLimits,
    headers: Mapping[str, str] | None,
    body: bytes | None,
) -> HttpAnswer:
    with _translating(method, url, limits.seconds):
        async with session.request(
            method,
            url,
            data=body,
            headers=headers,
            # A redirected POST would arrive as a GET without its body.
            allow_redirects=method == "GET",
            timeout=aiohttp.ClientTimeout(total=limits.seconds),
        ) as response:
            answer = await _read_bounded(response, limits.body_size)
            if answer is None:
                raise PoolNonsense(
                    f"{method} {url} answered more than {limits.body_size} bytes, which no pool "
                    "service does. Check the URL."
                )
            return HttpAnswer(response.status, response.content_type, answer)


@contextmanager
def _translating(method: str, url: str, seconds: float) -> Iterator[None]:
    """Turns what aiohttp raises in the block into the `PoolError` that it means."""
    try:
        yield
    except TimeoutError as error:
        raise PoolUnreachable(
            f"{method} {url} was not answered within {seconds:g} s. "
            "The service or the network is overloaded or down."
        ) from error
    except (
        aiohttp.InvalidURL,
        aiohttp.TooManyRedirects,
        aiohttp.NonHttpUrlClientError,
        UnicodeError,  # the resolver's, for a host name that cannot be one
    ) as error:
        raise PoolNonsense(f"{method} {url} leads nowhere: {error!r}. Check the URL.") from error
    except aiohttp.ClientError as error:
        raise PoolUnreachable(
            f"{method} {url} failed: {_reason(error)}. "
            "The service is down, or the URL names another machine or port."
        ) from error


async def _read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes | None:
    """The whole body, or None as soon as it is longer than limit."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(READ_CHUNK):
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def connection_problem(error: aiohttp.ClientConnectorError) -> str:
    """Why there was no connection, e.g. "Connection refused"."""
    inner = error.os_error
    # aiohttp's own text adds how it would have used TLS, and asyncio's says only that connecting
    # failed; the number says why.
    if isinstance(inner, socket.gaierror) or inner.errno is None:
        return inner.strerror or str(inner)
    return os.strerror(inner.errno)


def _reason(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return connection_problem(error)
    return str(error) or type(error).__name__
