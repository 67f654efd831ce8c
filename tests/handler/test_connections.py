"""What clients that are slow, broken or too many cost."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from handler_announcements import UNSIGNED
from handler_setup import PAY_TO, Loopback, handler_settings, loopback

from packetcrypt.handler.service import running_ann_handler

POST_HEAD = (
    b"POST /submit HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
    + f"x-pc-payto: {PAY_TO}\r\n".encode()
    + b"x-pc-sver: 1\r\nx-pc-annver: 1\r\nx-pc-worknum: 1000001\r\n\r\n"
)


async def _talk(pool: Loopback, request: bytes) -> bytes:
    """Everything that the handler answers until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", pool.handler.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_body_that_does_not_come_is_timed_out(tmp_path: Path) -> None:
    async with loopback(tmp_path, request_timeout=0.2, idle_timeout=0.2) as pool:
        reader, writer = await asyncio.open_connection("127.0.0.1", pool.handler.port)
        writer.write(POST_HEAD + b"400\r\n" + bytes(100))
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readuntil(b"}")
        writer.close()

    assert b" 408 " in head.splitlines()[0]
    assert json.loads(body)["error"] == ["request timeout"]


async def test_a_connection_without_a_request_is_closed(tmp_path: Path) -> None:
    async with loopback(tmp_path, idle_timeout=0.2) as pool:
        assert await _talk(pool, b"") == b""


async def test_half_a_head_is_not_waited_for(tmp_path: Path) -> None:
    async with loopback(tmp_path, idle_timeout=0.2) as pool:
        assert await _talk(pool, POST_HEAD[:50]) == b""


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /submit HTTP/1.1\r\nHost: h\r\nContent-Length: minus one\r\n\r\n",
        b"POST /submit HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
        b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(500)) + b"\r\n",
    ],
    ids=["TLS", "version", "length", "header", "long line", "many headers"],
)
async def test_what_is_no_http_is_refused_without_a_traceback(
    tmp_path: Path, garbage: bytes
) -> None:
    async with loopback(tmp_path, idle_timeout=0.2) as pool:
        answer = await _talk(pool, garbage)

        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert b" 400 " in answer or b" 404 " in answer
    assert reply.counts == (3, 0, 0, 0)


async def test_a_broken_chunk_is_refused_without_a_traceback(tmp_path: Path) -> None:
    async with loopback(tmp_path, idle_timeout=0.2) as pool:
        await _talk(pool, POST_HEAD + b"not hexadecimal\r\n")

        reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert reply.counts == (3, 0, 0, 0)


async def test_a_client_that_leaves_in_the_middle_costs_nothing(pool: Loopback) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", pool.handler.port)
    writer.write(POST_HEAD + b"400\r\n" + UNSIGNED.announcements[0][:500])
    writer.transport.abort()

    reply = await pool.post(UNSIGNED, *UNSIGNED.announcements)

    assert reply.counts == (3, 0, 0, 0)


async def test_connections_above_the_limit_are_closed(tmp_path: Path) -> None:
    async with loopback(tmp_path, max_connections=2) as pool:
        first = await asyncio.open_connection("127.0.0.1", pool.handler.port)
        second = await asyncio.open_connection("127.0.0.1", pool.handler.port)

        assert await _talk(pool, b"") == b""

        first[1].close()
        second[1].close()


async def test_a_file_that_nobody_reads_is_timed_out(tmp_path: Path) -> None:
    folder = tmp_path / "ann_handler_ah0" / "anns"
    folder.mkdir(parents=True)
    size = 1024 * 65536
    (folder / "anns_1000000_0_1.bin").write_bytes(bytes(size))
    async with loopback(tmp_path, request_timeout=0.3) as pool:
        with socket.create_connection(("127.0.0.1", pool.handler.port)) as client:
            client.sendall(b"GET /anns/anns_1000000_0_1.bin HTTP/1.1\r\nHost: h\r\n\r\n")
            # Longer than the handler waits: nothing tells a client that it was given up but
            # reading.
            await asyncio.sleep(0.6)
            client.settimeout(10)
            assert await asyncio.to_thread(_count, client) < size


def _count(client: socket.socket) -> int:
    """Bytes until the connection ends."""
    size = 0
    while piece := client.recv(1 << 20):
        size += len(piece)
    return size


async def test_a_bound_socket_can_be_given(tmp_path: Path, pool: Loopback) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = handler_settings(tmp_path, pool.master.config.master_url, "ah1", bind="0.0.0.0:1")

    async with running_ann_handler(settings, checker=pool.checker, listener=listener) as handler:
        assert handler.port == listener.getsockname()[1]
