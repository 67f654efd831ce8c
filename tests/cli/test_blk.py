"""`packetcrypt blk` refuses what cannot work before it opens a device."""

import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import PAYMENT_ADDRESS, Ended

Cli = Callable[..., Ended]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["http://pool.example"], "--paymentaddr"),
        (["-p", PAYMENT_ADDRESS], "POOL"),
        (["-p", "nobody", "http://pool.example"], "payment address"),
        (["-p", PAYMENT_ADDRESS, "pool.example"], "not the URL of a service"),
        (["-p", PAYMENT_ADDRESS, "-m", "1", "http://pool.example"], "memory (MB) is 1"),
        (["-p", PAYMENT_ADDRESS, "-s", "nowhere", "http://pool.example"], '"nowhere"'),
        (["-p", PAYMENT_ADDRESS, "--trust", "much", "http://pool.example"], "--trust"),
    ],
)
def test_mistakes(cli: Cli, arguments: list[str], message: str) -> None:
    ended = cli("blk", *arguments)
    assert ended.status == 2
    assert message in ended.err


def test_a_url_that_is_no_pools(cli: Cli, tmp_path: Path) -> None:
    empty_site = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), empty_site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        ended = cli(
            *("blk", "-p", PAYMENT_ADDRESS, "--device", "numpy", "-t", "1", "-m", "16"),
            url,
        )
        server.shutdown()
    assert ended.status == 4
    assert url in ended.err
