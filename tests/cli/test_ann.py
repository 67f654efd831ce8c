"""`packetcrypt ann`: what is refused at the start, with which status, and how it is stopped."""

import json
import signal
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from command_line import COMMAND, PAYMENT_ADDRESS, Ended
from pool_processes import LoggedProcess, free_port, is_report

Cli = Callable[..., Ended]

POOL = "http://pool.invalid"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((POOL,), "there is no address to pay to"),
        (("-p", PAYMENT_ADDRESS), "there is no pool to mine for"),
        (("-p", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", POOL), "address of another network"),
        (("-p", PAYMENT_ADDRESS[:-1] + "q", POOL), "the checksum does not match"),
        (("-p", PAYMENT_ADDRESS, "pool.example"), "is not the URL of a service"),
        (("-p", PAYMENT_ADDRESS, "ftp://pool.example"), "is not the URL of a service"),
        (("-p", PAYMENT_ADDRESS, POOL, POOL + "/"), "is given twice"),
        (("-p", PAYMENT_ADDRESS, POOL, "-m", "6"), "not in the range"),
        (("-p", PAYMENT_ADDRESS, POOL, "-U", "0"), "not in the range"),
        (("-p", PAYMENT_ADDRESS, POOL, "-T", "nan"), "upload_timeout is nan"),
        (("-p", PAYMENT_ADDRESS, POOL, "-t", "0"), "not in the range"),
        (("-p", PAYMENT_ADDRESS, POOL, "--device", "toaster"), "toaster"),
        (("-p", PAYMENT_ADDRESS, POOL, "--metrics", "9090"), '--metrics = "9090" is no address'),
        (("-c", "missing.json"), "the configuration file missing.json cannot be read"),
        (("-c", "http://127.0.0.1:1/ann.json"), "the configuration file cannot be read"),
    ],
)
def test_what_cannot_work_is_refused(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    ended = cli("ann", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"pool": []}', 'unknown key "pool", known are pools, threads'),
        ('{"threads": "4"}', 'field "threads" must be an integer'),
        ("pools", "not JSON"),
    ],
)
def test_a_configuration_that_cannot_work(
    cli: Cli, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "ann.json"
    file.write_text(content)
    ended = cli("ann", "-c", file)
    assert ended.status == 2
    assert str(file) in ended.err
    assert message in ended.err


def test_a_place_for_metrics_that_is_taken(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = cli(*("ann", "-p", PAYMENT_ADDRESS, "--device", "cpu", "--metrics", address, POOL))
    assert ended.status == 2
    assert "cannot listen at 127.0.0.1" in ended.err


class _NotFound(BaseHTTPRequestHandler):
    """A web server that knows nothing."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def test_a_url_that_is_no_pools(cli: Cli) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _NotFound) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        ended = cli("ann", "-p", PAYMENT_ADDRESS, "--device", "cpu", url)
        server.shutdown()
    assert ended.status == 4
    assert f"error: {url}/ is not a PacketCrypt pool: GET /config.json answered 404." in ended.err
    assert "Give the pool's master URL" in ended.err


def test_a_miner_that_waits_for_its_pool_says_so() -> None:
    address = f"127.0.0.1:{free_port()}"
    down = f"http://127.0.0.1:{free_port()}"
    options = ("-p", PAYMENT_ADDRESS, "--device", "cpu", "--metrics", address)
    with LoggedProcess(COMMAND, "ann", *options, down) as miner:
        miner.wait_for(lambda line: "/health and /metrics are answered at" in line)
        with pytest.raises(HTTPError) as refusal:
            urlopen(f"http://{address}/health", timeout=30)
        with urlopen(f"http://{address}/metrics", timeout=30) as answer:
            metrics = answer.read().decode()
        assert miner.stop(signal.SIGINT) == 0
    assert refusal.value.code == 503
    health = json.loads(refusal.value.read())
    assert (health["service"], health["status"]) == ("ann", "starting")
    assert "packetcrypt_ann_healthy 0.0" in metrics
    assert 'packetcrypt_ann_pool_up{host="127.0.0.1",pool="0"} 0.0' in metrics


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_miner_that_waits_for_its_pool_can_be_stopped(number: signal.Signals) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    with LoggedProcess(COMMAND, "ann", "-p", PAYMENT_ADDRESS, "--device", "cpu", down) as miner:
        miner.wait_for(lambda line: f"GET {down}/config.json failed" in line)
        assert miner.stop(number) == 0
        reports = [line for line in miner.lines if is_report(line)]
        assert "goodrate: [0%]" in reports[-1]
        assert not any("Traceback" in line for line in miner.lines)
