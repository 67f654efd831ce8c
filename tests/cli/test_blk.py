"""`packetcrypt blk` refuses what cannot work before it opens a device."""

import signal
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from command_line import COMMAND, PAYMENT_ADDRESS, Ended
from pool_processes import LoggedProcess, free_port

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
        (["-p", PAYMENT_ADDRESS, "--metrics", "x:y", "http://pool.example"], '--metrics = "x:y"'),
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_miner_that_waits_for_its_pool_can_be_stopped(number: signal.Signals) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    address = f"127.0.0.1:{free_port()}"
    options = ("-p", PAYMENT_ADDRESS, "--device", "numpy", "-t", "1", "-m", "16")
    with LoggedProcess(COMMAND, "blk", *options, "--metrics", address, down) as miner:
        miner.wait_for(lambda line: f"GET {down}/config.json failed" in line)
        with urlopen(f"http://{address}/metrics", timeout=30) as answer:
            assert "packetcrypt_blk_healthy 0.0" in answer.read().decode()
        assert miner.stop(number) == 0
        assert any("shr: 0/0/0 " in line for line in miner.lines)
        assert not any("Traceback" in line for line in miner.lines)
