"""`packetcrypt ah`: what is refused at the start, and how it is stopped."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import COMMAND, Ended
from pool_processes import LoggedProcess, PoolProcesses

Cli = Callable[..., Ended]

POOL = """\
master_url = "http://127.0.0.1:9/master"
root_workdir = "work"
paymaker_http_password = "paid by work"
"""
HANDLER = """\
[ann_handler.ah0]
public_url = "http://ah0.example"
bind = "127.0.0.1:0"
devices = "cpu"
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (POOL, "it has no announcement handler: add a table"),
        (POOL + HANDLER + "colour = 1\n", 'pool.toml:8: "colour" is no setting in [ann_handler'),
        ("speed = 1\n" + POOL + HANDLER, 'pool.toml:1: "speed" is no setting at the top level'),
        (POOL + HANDLER + 'threads = "2"\n', "pool.toml:8: threads must be an integer"),
        (HANDLER, 'the top level lacks "master_url"'),
        (POOL + HANDLER + HANDLER.replace("ah0", "ah1"), "name one of ah0, ah1"),
        ("=", "not a TOML file"),
    ],
)
def test_settings_that_cannot_work(cli: Cli, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(content)
    ended = cli("ah", "-C", file)
    assert (ended.status, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


def test_settings_that_are_not_there(cli: Cli, tmp_path: Path) -> None:
    ended = cli("ah", "-C", tmp_path / "none.toml")
    assert ended.status == 2
    assert f"{tmp_path / 'none.toml'}: cannot be read" in ended.err


def test_a_handler_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(POOL + HANDLER)
    ended = cli("ah", "-C", file, "ah7")
    assert ended.status == 2
    assert 'it has no announcement handler "ah7", only ah0' in ended.err


def test_a_port_that_is_taken(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file.write_text(POOL + HANDLER.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        ended = cli("ah", "-C", file)
    assert ended.status == 2
    assert f'bind = "127.0.0.1:{port}": cannot listen there' in ended.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_handler_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    pool = PoolProcesses(tmp_path, "pool")
    try:
        pool.start()
        handler = pool.processes[-1]
        assert handler.stop(number) == 0
        assert any("announcement handler ah0 stops" in line for line in handler.lines)
    finally:
        pool.kill_all()
    assert not any("Traceback" in line for line in pool.log)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_handler_whose_master_is_silent_can_be_stopped(
    tmp_path: Path, number: signal.Signals
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        master = f"127.0.0.1:{silent.getsockname()[1]}"
        file = tmp_path / "pool.toml"
        file.write_text(POOL.replace("127.0.0.1:9", master) + HANDLER)
        with LoggedProcess(COMMAND, "ah", "-C", file) as handler:
            asked, _ = silent.accept()
            assert handler.stop(number) == 130
            asked.close()
    assert handler.lines[-1] == "interrupted"
