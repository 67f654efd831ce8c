"""The pool.toml of a devnet is one that every service takes, and keeps its secrets."""

from collections.abc import Callable
from pathlib import Path

import pytest

from packetcrypt.engine.block_engine import BYTES_PER_ANNOUNCEMENT
from packetcrypt.handler.settings_file import (
    load_ann_handler_settings,
    load_block_handler_settings,
)
from packetcrypt.pool.devchain_settings_file import load_devchain_settings
from packetcrypt.pool.devnet_plan import stages
from packetcrypt.pool.devnet_settings import (
    ANNOUNCEMENT_MINER,
    BLOCK_MINER,
    BLOCK_MINER_FREE,
    BLOCK_MINER_MEMORY,
    DEFAULT_ADDRESS,
    DevnetSettings,
    DevnetUrls,
    Passwords,
    write_pool_toml,
)
from packetcrypt.pool.master_settings_file import load_master_settings
from packetcrypt.pool.paymaker_settings_file import load_paymaker_settings
from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.errors import ConfigError

URLS = DevnetUrls.at([4001, 4002, 4003, 4004, 4005, 4006], ("ah0", "ah1"))
COMMAND = ("/usr/bin/packetcrypt",)


@pytest.fixture
def settings(tmp_path: Path) -> DevnetSettings:
    settings = DevnetSettings(folder=tmp_path, handlers=2)
    write_pool_toml(settings, URLS, Passwords())
    return settings


def test_the_master_takes_it(settings: DevnetSettings) -> None:
    master = load_master_settings(settings.file)
    assert master.address == ("127.0.0.1", 4001)
    assert master.pool.master_url == "http://127.0.0.1:4001"
    assert master.pktd.url == "http://127.0.0.1:4002"
    assert master.paymaker_url == "http://127.0.0.1:4003"
    assert master.ann_handlers == ("http://127.0.0.1:4005", "http://127.0.0.1:4006")
    assert master.block_handlers == ("http://127.0.0.1:4004",)


def test_the_chain_is_told_how_many_announcements_are_mined_with(settings: DevnetSettings) -> None:
    chain = load_devchain_settings(settings.file)
    assert (chain.address, chain.block_seconds) == (("127.0.0.1", 4002), 30.0)
    capacity = (BLOCK_MINER_MEMORY << 20) // BYTES_PER_ANNOUNCEMENT
    assert chain.set_size == int(capacity * (1 - BLOCK_MINER_FREE))


def test_the_paymaker_takes_it(settings: DevnetSettings) -> None:
    paymaker = load_paymaker_settings(settings.file)
    assert paymaker.address == ("127.0.0.1", 4003)
    assert paymaker.default_address == DEFAULT_ADDRESS


@pytest.mark.parametrize(("name", "port"), [("ah0", 4005), ("ah1", 4006)])
def test_the_announcement_handlers_take_it(settings: DevnetSettings, name: str, port: int) -> None:
    handler = load_ann_handler_settings(settings.file, name)
    assert handler.address == ("127.0.0.1", port)
    assert (handler.devices, handler.threads) == ("auto", 1)


def test_the_block_handler_takes_it(settings: DevnetSettings) -> None:
    assert load_block_handler_settings(settings.file).address == ("127.0.0.1", 4004)


def test_only_its_owner_may_read_it(settings: DevnetSettings) -> None:
    assert settings.file.stat().st_mode & 0o777 == 0o600


def test_every_run_has_passwords_of_its_own(settings: DevnetSettings) -> None:
    before = settings.file.read_text()
    write_pool_toml(settings, URLS, Passwords())
    changed = [
        new.split(" = ")[0]
        for old, new in zip(
            before.splitlines(), settings.file.read_text().splitlines(), strict=True
        )
        if old != new
    ]
    assert changed == [
        *("paymaker_http_password", "password"),
        *("block_miner_passwd", "block_miner_passwd"),
    ]


def test_no_password_is_shown() -> None:
    passwords = Passwords()
    secrets = {passwords.node, passwords.paymaker, passwords.announcements}
    assert len(secrets) == 3
    assert min(map(len, secrets)) >= 32
    assert repr(passwords) == "Passwords()"


def test_no_password_is_on_a_command_line(settings: DevnetSettings) -> None:
    passwords = Passwords()
    plan = stages(settings, URLS, passwords, COMMAND)
    services = [service for stage in plan for service in stage]
    words = {word for service in services for word in service.command}
    assert not words & {passwords.node, passwords.paymaker, passwords.announcements}
    (blk,) = (service for service in services if service.name == "blk")
    assert blk.environment["PACKETCRYPT_HANDLER_PASSWORD"] == passwords.announcements


def test_the_plan(settings: DevnetSettings) -> None:
    names = [[s.name for s in stage] for stage in stages(settings, URLS, Passwords(), COMMAND)]
    assert names == [
        ["devchain"],
        ["paymaker"],
        ["master"],
        ["ah0", "bh0"],
        ["ah1"],
        ["ann", "blk"],
    ]


def test_the_addresses_are_different_and_payable() -> None:
    addresses = {ANNOUNCEMENT_MINER, BLOCK_MINER, DEFAULT_ADDRESS}
    assert len(addresses) == 3
    assert len({parse_address(address) for address in addresses}) == 3


@pytest.mark.parametrize(
    ("settings_with", "problem"),
    [
        (lambda: DevnetSettings(folder=Path(), handlers=0), "0 announcement handlers: give 1 to"),
        (lambda: DevnetSettings(folder=Path(), handlers=17), "17 announcement handlers"),
        (lambda: DevnetSettings(folder=Path(), block_seconds=0.5), "every 0.5 s cannot"),
        (lambda: DevnetSettings(folder=Path(), block_seconds=float("nan")), "every nan s cannot"),
    ],
)
def test_what_cannot_work(settings_with: Callable[[], DevnetSettings], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        settings_with()
