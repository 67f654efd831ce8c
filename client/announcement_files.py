"""Which announcements a handler offers to block miners over HTTP, and how they are fetched.

`GET /anns/index.json` lists files, `GET /anns/<file>` is one (spec 2 "Ann Handler → block miners").
Files never change, so a download that broke off goes on where it ended.
"""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
import numpy as np
import numpy.typing as npt

from packetcrypt.client.http import (
    HttpLimits,
    PoolNonsense,
    PoolNotReady,
    basic_authorization,
    check_url,
    get,
    open_stream,
)
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.errors import DecodeError, PoolError
from packetcrypt.protocol.json_fields import I32_MAX, JsonFields

PIECE_ANNOUNCEMENTS = 1024
"""Announcements handed on at a time while a file is still coming."""

# A name has some 30 bytes; existing handlers keep 512 files, ours as many as their operator says.
_INDEX_LIMITS = HttpLimits(body_size=1024 * 1024, seconds=30.0)
_FILE_BYTES = 256 * 1024 * 1024
_SECONDS_OF_SILENCE = 30.0
_NAME = re.compile(r"anns_([0-9]{1,10})_([0-9]{1,10})_([0-9]{1,16})\.bin", re.ASCII)
_ANNS_PATH = "/anns"
_USER = "x"


class PasswordRefused(PoolError):
    """The handler wants another password from block miners, or any at all."""


@dataclass(frozen=True, order=True)
class AnnouncementFile:
    """A file of announcements with one parent height.

    number : counts up at its handler, so that higher is newer
    """

    number: int
    parent_height: int
    name: str

    @classmethod
    def parse(cls, name: str) -> "AnnouncementFile":
        """Reads a name from an index; it becomes part of a URL, so it must be exactly one."""
        match = _NAME.fullmatch(name)
        if match is None or int(match[1]) > I32_MAX:
            raise DecodeError(
                f"{name[:80]!r} is not the name of an announcement file, "
                "which is anns_<parent height>_<handler>_<number>.bin"
            )
        return cls(int(match[3]), int(match[1]), name)


class AnnouncementFilesClient:
    """The files of one handler.

    handler_url : as the pool's `downloadAnnUrls` says; with or without /anns at its end
    password    : the pool's for block miners, "" for none
    """

    def __init__(self, session: aiohttp.ClientSession, handler_url: str, password: str) -> None:
        self.url = check_url(handler_url).rstrip("/").removesuffix(_ANNS_PATH)
        self._session = session
        self._headers: dict[str, str] = {}
        if password:
            self._headers["Authorization"] = basic_authorization(_USER, password)

    async def index(self) -> tuple[AnnouncementFile, ...]:
        """What is offered now, newest first. Raises `PasswordRefused` and other `PoolError`s."""
        url = f"{self.url}{_ANNS_PATH}/index.json"
        answer = await get(self._session, url, _INDEX_LIMITS, self._headers)
        _check_status(url, answer.status, HTTPStatus.OK)
        try:
            names = JsonFields.parse(answer.body, "index.json").texts("files")
            return tuple(sorted(map(AnnouncementFile.parse, names), reverse=True))
        except DecodeError as error:
            raise PoolNonsense(f"GET {url} answered no index of announcements: {error}") from error

    async def download(
        self, file: AnnouncementFile, first: int = 0
    ) -> AsyncGenerator[npt.NDArray[np.uint8], None]:
        """The announcements of a file from number `first` on, in arrays (n, 1024) as they come.

        Raises as `index` does, also in the middle: the caller then knows how many it has.
        """
        url = f"{self.url}{_ANNS_PATH}/{file.name}"
        start = first * ANNOUNCEMENT_SIZE
        headers = self._headers | ({"Range": f"bytes={start}-"} if start else {})
        pending = bytearray()
        received = start
        async with open_stream(self._session, url, _SECONDS_OF_SILENCE, headers) as response:
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
                return  # there was no more of it
            _check_status(
                url, response.status, HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK
            )
            async for chunk in response.content.iter_any():
                received += len(chunk)
                if received > _FILE_BYTES:
                    raise PoolNonsense(
                        f"GET {url} sends more than {_FILE_BYTES} bytes, which no announcement "
                        "file has. The handler is broken; tell the pool's operator."
                    )
                pending += chunk
                whole = len(pending) // ANNOUNCEMENT_SIZE
                if whole >= PIECE_ANNOUNCEMENTS:
                    yield _take(pending, whole)
        if len(pending) % ANNOUNCEMENT_SIZE:
            raise PoolNonsense(
                f"GET {url} ends within an announcement, after {received} bytes. "
                "The handler is broken; tell the pool's operator."
            )
        if pending:
            yield _take(pending, len(pending) // ANNOUNCEMENT_SIZE)


def _take(pending: bytearray, count: int) -> npt.NDArray[np.uint8]:
    """The first `count` announcements of `pending`, which they leave."""
    size = count * ANNOUNCEMENT_SIZE
    taken = np.frombuffer(bytes(pending[:size]), np.uint8).reshape(count, ANNOUNCEMENT_SIZE)
    del pending[:size]
    return taken


def _check_status(url: str, status: int, wanted: HTTPStatus) -> None:
    if status == wanted:
        return
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise PasswordRefused(
            f"GET {url} answered {status}: the handler gives announcements only to those who know "
            "its block miner password. Ask the pool's operator for it and give it with -P."
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise PoolNotReady(f"GET {url} answered {status}: the handler is starting or in trouble.")
    raise PoolNonsense(
        f"GET {url} answered {status}, where a handler answers {wanted.value}. It offers no "
        "announcements over HTTP, or the pool's downloadAnnUrls are wrong."
    )
