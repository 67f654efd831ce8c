"""What all handlers do alike over HTTP: bodies have limits, and problems are told as JSON."""

import asyncio
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


class Overloaded(Exception):
    """The queue is full, or the handler is stopping: the client may try again later."""


class BodyTooLong(Exception):
    """A body of more bytes than the protocol allows."""


async def read_body(request: web.Request, limit: int, seconds: float) -> bytes:
    """The body, as far as it may be long and slow.

    Raises `BodyTooLong`, or aiohttp's HTTP exceptions for a client that is too slow or has left.
    """
    body = bytearray()
    if (request.content_length or 0) > limit:
        raise BodyTooLong
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise BodyTooLong
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ConnectionError, web.RequestPayloadError):
        # The client left, or sent chunks that are none.
        raise web.HTTPBadRequest from None
    return bytes(body)


def json_answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    """An answer with a JSON text."""
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


def answering_problems(error_body: Callable[[str], bytes]) -> Middleware:
    """A middleware that tells aiohttp's own problems (404, 405, 408…) in the handler's JSON.

    error_body : the JSON text of an error
    """

    @web.middleware
    async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as problem:
            problem.headers.popall("Content-Type", None)
            body = error_body(problem.reason.lower())
            return json_answer(problem.status, body, dict(problem.headers))

    return answer_problems
