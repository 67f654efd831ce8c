"""What pool.toml is understood as, and how mistakes in it are told."""

from pathlib import Path

import pytest

from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.settings_file import load_ann_handler_settings
from packetcrypt.protocol.errors import ConfigError

TOP = """\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "paid by work"
"""
HANDLER = """\
[ann_handler.ah0]
public_url = "http://pool.example/ah0"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pool.toml"


def _load(file: Path, text: str, name: str | None = "ah0") -> AnnHandlerSettings:
    file.write_text(text)
    return load_ann_handler_settings(file, name)


def test_what_is_not_given_has_its_default(file: Path) -> None:
    settings = _load(file, TOP + HANDLER)

    assert settings.pool.master_url == "http://pool.example/master"
    assert settings.pool.paymaker_http_password == "paid by work"
    assert settings.name == "ah0"
    assert settings.public_url == "http://pool.example/ah0"
    assert settings.bind == "127.0.0.1:8081"
    assert settings.block_miner_passwd == ""


def test_all_settings_can_be_given(file: Path) -> None:
    text = """
        bind = "0.0.0.0:9000"
        input_queue_len = 7
        files_to_keep = 8
        block_miner_passwd = "mine"
        devices = "numpy"
        threads = 2
        check_batch = 64
        max_connections = 9
        request_timeout = 1
        idle_timeout = 2.5
        shutdown_timeout = 3
        poll_interval = 4
        master_timeout = 5
        file_announcements = 6
        file_seconds = 7
        paylog_seconds = 8
        paylog_bytes = 9
        paymaker_timeout = 10
        statistics_interval = 11
    """
    settings = _load(file, TOP + HANDLER + text)

    assert settings.input_queue_len == 7
    assert settings.request_timeout == 1
    assert settings.idle_timeout == 2.5
    assert settings.statistics_interval == 11


def test_a_relative_folder_is_beside_the_file(file: Path) -> None:
    assert _load(file, TOP + HANDLER).pool.root_workdir == file.parent / "work"


def test_an_absolute_folder_stays(file: Path) -> None:
    text = TOP.replace('"work"', '"/srv/pool"') + HANDLER

    assert _load(file, text).pool.root_workdir == Path("/srv/pool")


def test_the_only_handler_needs_no_name(file: Path) -> None:
    assert _load(file, TOP + HANDLER, name=None).name == "ah0"


def test_tables_of_other_services_are_left_alone(file: Path) -> None:
    others = "".join(
        f"[{table}]\nanything = 1\n"
        for table in ("master", "paymaker", "block_handler.bh0", "sprayer", "ann_handler.ah1")
    )

    assert _load(file, TOP + HANDLER + others).name == "ah0"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (TOP + HANDLER + "bnid = 1\n", 6, '"bnid" is no setting in [ann_handler.ah0]'),
        ("mater_url = 1\n" + TOP + HANDLER, 1, '"mater_url" is no setting at the top level'),
        (TOP + "[ann_handlers.ah0]\n", 4, '"ann_handlers" is no setting at the top level'),
        (TOP + HANDLER + "bind = 8081\n", 6, "bind must be a string, not of type int"),
        (TOP + HANDLER + "threads = true\n", 6, "threads must be an integer, not of type bool"),
        (TOP + HANDLER + "threads = 1.0\n", 6, "threads must be an integer, not of type float"),
        (TOP + HANDLER + 'idle_timeout = "1"\n', 6, "idle_timeout must be a number"),
        (TOP + HANDLER + "input_queue_len = 0\n", 6, "input_queue_len = 0 cannot work"),
        (TOP + HANDLER + 'bind = "x"\n', 6, 'bind = "x" is no address'),
        (TOP + "[ann_handler.ah0]\n", 4, '[ann_handler.ah0] lacks "public_url"'),
        (TOP.replace("http:", "ftp:") + HANDLER, 1, "is no HTTP URL"),
        (TOP + "[ann_handler]\nbind = 1\n", 4, "write the table as [ann_handler.NAME]"),
        (TOP + "[ann_handler.x]\n", 4, 'no announcement handler "ah0", only x'),
    ],
)
def test_mistakes_are_told_with_their_line(file: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(file, text)

    assert str(raised.value).startswith(f"{file}:{line}: ")
    assert message in str(raised.value)


def test_an_unknown_setting_is_answered_with_those_allowed_and_an_example(file: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(file, TOP + HANDLER + "queue = 1\n")

    assert "allowed are bind, block_miner_passwd, check_batch" in str(raised.value)
    assert 'e.g. public_url = "http://pool.example/ah0"' in str(raised.value)


@pytest.mark.parametrize("name", ["master_url", "root_workdir", "paymaker_http_password"])
def test_what_is_missing_at_the_top_level(file: Path, name: str) -> None:
    text = "".join(line for line in TOP.splitlines(keepends=True) if not line.startswith(name))

    with pytest.raises(ConfigError, match=f'the top level lacks "{name}": add e.g. {name} = '):
        _load(file, text + HANDLER)


def test_no_handler_at_all(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"add a table, e\.g\.\n\[ann_handler\.ah0\]"):
        _load(file, TOP)


def test_several_handlers_without_a_name(file: Path) -> None:
    with pytest.raises(ConfigError, match="name one of ah0, ah1"):
        _load(file, TOP + HANDLER + HANDLER.replace("ah0", "ah1"), name=None)


def test_what_is_no_toml(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"pool\.toml: not a TOML file: .*line 1"):
        _load(file, "master_url: http://pool.example\n")


def test_a_file_that_is_not_there(file: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_ann_handler_settings(file, "ah0")


def test_a_file_that_is_no_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="not a TOML file"):
        load_ann_handler_settings(file, "ah0")
