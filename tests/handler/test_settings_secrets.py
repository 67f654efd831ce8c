"""Which passwords are refused, and when a file shows its own to everybody."""

import logging
import re
from dataclasses import fields
from pathlib import Path

import pytest

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.settings import AnnHandlerSettings, PoolSettings
from packetcrypt.handler.settings_document import open_settings
from packetcrypt.handler.settings_file import load_block_handler_settings
from packetcrypt.handler.settings_secrets import EXAMPLES, OF_OTHERS, refuse_known_secret
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.protocol.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
OWN = sorted(set(EXAMPLES) - OF_OTHERS)


def test_secrets_are_what_settings_do_not_show() -> None:
    tables = (PoolSettings, AnnHandlerSettings, PktdSettings, SprayerSettings)
    hidden = {setting.name for table in tables for setting in fields(table) if not setting.repr}
    assert set(EXAMPLES) == hidden


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    "value",
    [
        "password",
        "PassWord",
        "changeme",
        "Change me",
        "x",
        "xxxx",
        "secret",
        "let me in",
        "12345678",
    ],
)
def test_what_everybody_tries_first_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        refuse_known_secret(name, value)
    assert str(raised.value).startswith(f"{name} is a word that everybody tries first: ")


@pytest.mark.parametrize("name", sorted(EXAMPLES))
@pytest.mark.parametrize("value", [*sorted(EXAMPLES.values()), "…", "***"])
def test_the_examples_of_messages_are_refused_everywhere(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is .* the documentation"):
        refuse_known_secret(name, value)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_password_in_the_documentation_is_refused(page: Path) -> None:
    assignment = re.compile(rf'({"|".join(EXAMPLES)}) *= *"([^"]+)"')
    for name, value in assignment.findall(page.read_text()):
        with pytest.raises(ConfigError):
            refuse_known_secret(name, value)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_others_are_taken(name: str) -> None:
    refuse_known_secret(name, "JqPC4vPsDT0L2kfnQYHx")


@pytest.mark.parametrize("name", sorted(OF_OTHERS))
def test_what_others_have_chosen_is_not_ours_to_refuse(name: str) -> None:
    refuse_known_secret(name, "x")


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"paymaker_http_password"}))
def test_no_password_is_a_decision(name: str) -> None:
    refuse_known_secret(name, "")


def test_a_paymaker_needs_a_password() -> None:
    with pytest.raises(ConfigError, match="is empty, so that everybody could credit himself"):
        refuse_known_secret("paymaker_http_password", "")


def test_settings_that_are_no_secrets_may_be_anything() -> None:
    refuse_known_secret("devices", "x")


HEAD = """\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "paid by work"
[pktd]
user = "x"
password = "what pktd has as rpcpass"
[block_handler.bh0]
public_url = "http://pool.example/bh0"
"""


def test_a_refusal_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(HEAD)
    with pytest.raises(ConfigError, match=r"pool\.toml:6: password is what the documentation has"):
        load_block_handler_settings(file)


@pytest.mark.parametrize(
    ("content", "mode", "is_told"),
    [
        (HEAD, 0o644, True),
        (HEAD, 0o640, False),
        ('[sprayer.s0]\npasswd = "spray"\n', 0o604, True),
        ('[sprayer.s0]\npasswd = ""\n', 0o644, False),
        ("", 0o644, False),
    ],
)
def test_a_file_with_passwords_that_everybody_may_read(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    content: str,
    mode: int,
    is_told: bool,
) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(content)
    file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        open_settings(file)
    assert (f"every user of this machine may read: chmod o-rwx {file}" in caplog.text) == is_told
