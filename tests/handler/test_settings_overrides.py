"""Settings from flags and the environment: what wins, what they may say, whose mistake it is."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from packetcrypt.handler.settings_document import TABLES
from packetcrypt.handler.settings_file import load_ann_handler_settings, load_block_handler_settings
from packetcrypt.handler.settings_overrides import Override, environment_overrides, merge
from packetcrypt.protocol.errors import ConfigError

FILE = """\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "paid by work"
[ann_handler.ah-0]
public_url = "http://pool.example/ah0"
threads = 2
"""


def _merged(file: str, *flags: str, **environment: str) -> dict[str, Any]:
    content = tomllib.loads(file)
    overrides = [*environment_overrides(environment), *map(Override.of_flag, flags)]
    merge(content, overrides, TABLES)
    return content


def test_flags_win_over_the_environment_and_that_over_the_file() -> None:
    file = "[master]\nbind = 1\npoll_interval = 1\nidle_timeout = 1"
    variables = {
        "PACKETCRYPT__MASTER__POLL_INTERVAL": "2",
        "PACKETCRYPT__MASTER__IDLE_TIMEOUT": "2",
    }
    assert _merged(file, "master.idle_timeout=3", **variables) == {
        "master": {"bind": 1, "poll_interval": 2, "idle_timeout": 3}
    }


def test_the_last_of_two_flags_wins() -> None:
    assert _merged("", "master.bind=a:1", "master.bind=a:2") == {"master": {"bind": "a:2"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("0x2001ffff", 0x2001FFFF),
        ("0.5", 0.5),
        ("true", True),
        ('"7"', "7"),
        ('["a:1", "b:2"]', ["a:1", "b:2"]),
        ("0.0.0.0:8080", "0.0.0.0:8080"),
        ("http://a.example/b", "http://a.example/b"),
        ("a=b=c", "a=b=c"),
        ('half a "quote', 'half a "quote'),
        ("1\nother = 2", "1\nother = 2"),
        ("{ a = 1 }", "{ a = 1 }"),
        ("", ""),
    ],
)
def test_a_value_is_toml_or_a_bare_string(text: str, value: object) -> None:
    assert _merged("", f"master.x={text}") == {"master": {"x": value}}
    assert _merged("", PACKETCRYPT__MASTER__X=text) == {"master": {"x": value}}


@pytest.mark.parametrize(
    "variable",
    [
        "PACKETCRYPT__ANN_HANDLER__AH_0__THREADS",
        "PACKETCRYPT__ANN_HANDLER__ah-0__THREADS",
        "packetcrypt__ann_handler__Ah_0__threads",
    ],
)
def test_variables_find_names_that_shells_do_not_allow(variable: str) -> None:
    assert _merged(FILE, **{variable: "3"})["ann_handler"]["ah-0"]["threads"] == 3


def test_other_variables_are_none_of_ours() -> None:
    assert environment_overrides({"PACKETCRYPT_HANDLER_PASSWORD": "a", "PATH": "b"}) == ()


def test_tables_that_the_file_lacks_are_made() -> None:
    variable = {"PACKETCRYPT__SPRAYER__S0__PASSWD": "spray"}
    assert _merged("", **variable) == {"sprayer": {"s0": {"passwd": "spray"}}}


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("master.bind", '--set "master.bind" is no setting with a value: give KEY=VALUE, e.g.'),
        ("=1", '--set "" is no setting with a value'),
        ("master..bind=1", '--set "master..bind" is no setting with a value'),
        ("master=1", r"--set master: \[master\] is a table: give one of its settings"),
        ("ann_handler.ah-0=1", r"--set ann_handler.ah-0: \[ann_handler.ah-0\] is a table"),
        ("master_url.x=1", '--set master_url.x: "master_url" is a setting and no table'),
    ],
)
def test_flags_that_cannot_be_meant(flag: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _merged(FILE, flag)


def test_two_variables_for_one_setting() -> None:
    variables = {
        "PACKETCRYPT__ANN_HANDLER__AH_0__THREADS": "1",
        "PACKETCRYPT__ANN_HANDLER__ah_0__THREADS": "2",
    }
    with pytest.raises(
        ConfigError, match=r"ah_0__THREADS and .*AH_0__THREADS are the same setting"
    ):
        _merged(FILE, **variables)


def test_a_variable_that_may_mean_two_handlers() -> None:
    with pytest.raises(ConfigError, match="may mean ah-0 or AH-0: use --set"):
        _merged(FILE + "[ann_handler.AH-0]", PACKETCRYPT__ANN_HANDLER__AH_0__THREADS="1")


def test_values_are_not_shown() -> None:
    assert "hush" not in repr(Override.of_flag("paymaker_http_password=hush"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pool.toml"
    path.write_text(FILE)
    return path


def test_a_password_of_digits_is_still_a_password(file: Path) -> None:
    overrides = [Override.of_flag("paymaker_http_password=4711")]
    settings = load_ann_handler_settings(file, overrides=overrides)
    assert settings.pool.paymaker_http_password == "4711"


def test_a_relative_folder_is_beside_the_file(file: Path) -> None:
    overrides = environment_overrides({"PACKETCRYPT__ROOT_WORKDIR": "elsewhere"})
    settings = load_ann_handler_settings(file, overrides=overrides)
    assert settings.pool.root_workdir == file.parent / "elsewhere"


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("ann_handler.ah-0.thread=1", '"thread" is no setting in [ann_handler.ah-0]: allowed are'),
        ("thread=1", '"thread" is no setting at the top level: allowed are'),
        ("ann_handler.ah-0.threads=two", "threads must be an integer, not of type str: e.g. "),
        ("ann_handler.ah-0.threads=-1", "threads = -1 cannot work: give 0 (all) or more"),
        ("ann_handler.ah-0.bind=80", 'bind = "80" is no address to listen at'),
        ("master_url=ftp://a", 'master_url = "ftp://a" is no HTTP URL'),
    ],
)
def test_a_mistake_is_told_with_its_flag(file: Path, flag: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_ann_handler_settings(file, overrides=[Override.of_flag(flag)])
    assert str(raised.value).startswith(f"--set {flag.partition('=')[0]}: {message}")


def test_a_mistake_is_told_with_its_variable(file: Path) -> None:
    overrides = environment_overrides({"PACKETCRYPT__ANN_HANDLER__AH_0__BNID": "a:1"})
    with pytest.raises(
        ConfigError, match=r'^variable PACKETCRYPT__ANN_HANDLER__AH_0__BNID: "bnid"'
    ):
        load_ann_handler_settings(file, overrides=overrides)


def test_what_a_new_table_lacks_is_told_with_the_variable_that_made_it(file: Path) -> None:
    overrides = environment_overrides(
        {
            "PACKETCRYPT__PKTD__USER": "x",
            "PACKETCRYPT__BLOCK_HANDLER__BH0__PUBLIC_URL": "http://pool.example/bh0",
        }
    )
    with pytest.raises(ConfigError, match=r'^variable PACKETCRYPT__PKTD__USER: \[pktd\] lacks "pa'):
        load_block_handler_settings(file, overrides=overrides)


def test_the_rest_of_the_file_keeps_its_lines(file: Path) -> None:
    file.write_text(FILE + "thread = 1\n")
    with pytest.raises(ConfigError, match=r'pool\.toml:7: "thread" is no setting'):
        load_ann_handler_settings(file, overrides=[Override.of_flag("ann_handler.ah-0.threads=1")])
