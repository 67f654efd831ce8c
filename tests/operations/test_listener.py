"""Where a miner answers: at the address it is told, as long as it runs."""

import socket

import aiohttp
import pytest
from operations_reading import read_health, read_metrics
from pool_processes import free_port

from packetcrypt.operations.endpoints import Operations
from packetcrypt.operations.health import Check, Grade, Health
from packetcrypt.operations.listener import answering
from packetcrypt.operations.metrics import counter
from packetcrypt.protocol.errors import ConfigError

FINDS = counter("packetcrypt_x_finds_total", "Finds.")


def operations(grade: Grade = Grade.GOOD) -> Operations:
    health = Health("x", "", lambda: {"device": Check(grade, "as told")})
    return Operations(health, (FINDS,), lambda: {FINDS.name: 7})


@pytest.mark.parametrize(
    ("grade", "status"),
    [(Grade.GOOD, 200), (Grade.TROUBLE, 200), (Grade.NOT_YET, 503), (Grade.DOWN, 503)],
)
async def test_health_and_metrics_are_answered(grade: Grade, status: int) -> None:
    async with (
        answering(operations(grade), "127.0.0.1", 0) as port,
        aiohttp.ClientSession() as session,
    ):
        url = f"http://127.0.0.1:{port}"
        assert (await read_health(session, url))[0] == status
        metrics = await read_metrics(session, url)
        for method, path, expected in (("GET", "/", 404), ("POST", "/health", 405)):
            async with session.request(method, url + path) as response:
                assert response.status == expected
    assert metrics.value(FINDS.name) == 7


async def test_the_port_is_the_one_asked_for_and_free_again_afterwards() -> None:
    wanted = free_port()
    for _ in range(2):
        async with answering(operations(), "127.0.0.1", wanted) as port:
            assert port == wanted


async def test_an_address_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen at 127.0.0.1, port {port} "):
            async with answering(operations(), "127.0.0.1", port):
                pass
