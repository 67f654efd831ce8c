"""`packetcrypt pool check`, and settings from the environment and flags as commands take them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ended
from whole_pool_file import GOOD

Cli = Callable[..., Ended]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pool.toml"
    path.write_text(GOOD)
    path.chmod(0o600)
    return path


def test_a_good_file(cli: Cli, file: Path) -> None:
    ended = cli("pool", "check", "-C", file)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert " ".join(lines[0].split()) == (
        "master listens at 127.0.0.1:8080, found at http://pool.example/master"
    )
    assert lines[-1] == f"{file}: can work"


def test_a_finding_is_one_line(cli: Cli, file: Path) -> None:
    ended = cli("pool", "check", "-C", file, "--set", "ann_handler.ah1.bind=127.0.0.1:8081")
    assert (ended.status, ended.err) == (1, "")
    first, *_, last = ended.out.splitlines()
    assert first == (
        'error: --set ann_handler.ah1.bind: bind = "127.0.0.1:8081" is where [ann_handler.ah0] '
        'listens already: give [ann_handler.ah1] bind = "127.0.0.1:8084"'
    )
    assert last == f"{file}: cannot work like this"


def test_a_warning_is_no_error(cli: Cli, file: Path) -> None:
    file.write_text(GOOD.partition("[block_handler")[0])
    ended = cli("pool", "check", "-C", file)
    assert ended.status == 0
    assert ended.out.startswith(f"warning: {file}: it has no table [block_handler.NAME]: ")


def test_programs_read_json(cli: Cli, file: Path) -> None:
    ended = cli("pool", "check", "-C", file, "--json", "--set", "master.bind=[::1]")
    report = json.loads(ended.out)
    assert (ended.status, report["ok"]) == (1, False)
    assert report["findings"] == [
        {
            "severity": "error",
            "where": "--set master.bind",
            "rule": 'bind = "[::1]" is no address to listen at: give "address:port", '
            'e.g. "0.0.0.0:8081" or "[::]:8081"',
            "remedy": "",
        }
    ]
    assert report["services"][1] == {
        "table": "ann_handler.ah0",
        "bind": "127.0.0.1:8081",
        "private_bind": "",
        "url": "http://pool.example/ah0",
    }


@pytest.mark.parametrize("content", [None, "=", "mastr_url = 1"])
def test_a_file_that_cannot_be_used(cli: Cli, file: Path, content: str | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    ended = cli("pool", "check", "-C", file)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {file}")


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("ah", "ann_handler.ah0.bind"),
        ("bh", "block_handler.bh0.bind"),
        ("devchain", "devchain.bind"),
        ("master", "master.bind"),
        ("paymaker", "paymaker.bind"),
        ("sprayer", "sprayer.s0.bind"),
    ],
)
def test_every_service_takes_flags_over_variables(
    cli: Cli, file: Path, monkeypatch: pytest.MonkeyPatch, command: str, key: str
) -> None:
    file.write_text(GOOD + '[sprayer.s0]\npasswd = ""\n[devchain]\n')
    name = [key.split(".")[1]] if command == "ah" else []
    variable = f"PACKETCRYPT__{key.upper().replace('.', '__')}"
    monkeypatch.setenv(variable, "nowhere")
    ended = cli(command, "-C", file, *name)
    assert ended.status == 2
    assert f'variable {variable}: bind = "nowhere"' in ended.err

    ended = cli(command, "-C", file, "--set", f"{key}=here", *name)
    assert ended.status == 2
    assert f'--set {key}: bind = "here"' in ended.err


def test_a_flag_that_is_no_setting(cli: Cli, file: Path) -> None:
    ended = cli("master", "-C", file, "--set", "master.bind")
    assert ended.status == 2
    assert '--set "master.bind" is no setting with a value: give KEY=VALUE, e.g. ' in ended.err
