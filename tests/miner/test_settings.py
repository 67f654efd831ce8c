"""What a miner may be told, and what is refused before it starts."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from packetcrypt.miner.settings import (
    AnnouncementMinerSettings,
    GivenSettings,
    decode_settings,
    read_settings_file,
)
from packetcrypt.protocol.address import WitnessProgram, format_address
from packetcrypt.protocol.errors import ConfigError, DecodeError

ADDRESS = format_address(WitnessProgram(0, bytes(20)))
POOL = "http://pool.example/master"
FILE = {
    "pools": [POOL, "http://other.example"],
    "threads": 2,
    "payment_addr": ADDRESS,
    "uploaders": 5,
    "upload_timeout": 40,
    "mine_old_anns": 1,
}


def test_defaults_are_those_that_users_know() -> None:
    settings = AnnouncementMinerSettings(payment_addr=ADDRESS, pools=(POOL,))
    assert (settings.uploaders, settings.upload_timeout) == (10, 30.0)
    assert settings.mine_old_anns is None
    assert settings.threads is None
    assert settings.devices == ("auto",)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"payment_addr": "pkt1qwrong"}, "payment_addr: 'pkt1qwrong' is not a PKT address"),
        ({"pools": ()}, "no pool to mine for: give at least one"),
        ({"pools": ("pool.example",)}, "'pool.example' is not the URL of a service"),
        ({"pools": (POOL, POOL + "/")}, "is given twice"),
        ({"threads": 0}, "threads is 0, but it must be from 1 to"),
        ({"uploaders": 0}, "uploaders is 0, but it must be from 1 to"),
        ({"upload_timeout": 0.0}, r"upload_timeout is 0\.0, but it must be from 1 to"),
        ({"upload_timeout": float("nan")}, "upload_timeout is nan"),
        ({"mine_old_anns": 6}, "mine_old_anns is 6, but it must be from 0 to 5"),
        ({"mine_old_anns": -1}, "mine_old_anns is -1, but it must be from 0 to 5"),
        ({"devices": ()}, "devices: the list is empty"),
    ],
)
def test_what_cannot_work_is_refused(changed: dict[str, object], reason: str) -> None:
    given = {"payment_addr": ADDRESS, "pools": (POOL,)} | changed
    with pytest.raises(ConfigError, match=reason):
        AnnouncementMinerSettings(**given)  # type: ignore[arg-type]


def test_a_file_sets_all_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(FILE))
    assert read_settings_file(str(path)).settle(GivenSettings()) == AnnouncementMinerSettings(
        payment_addr=ADDRESS,
        pools=(POOL, "http://other.example"),
        threads=2,
        uploaders=5,
        upload_timeout=40,
        mine_old_anns=1,
    )


async def test_a_file_may_be_a_url() -> None:
    async def config(_: web.Request) -> web.Response:
        return web.json_response(FILE)

    app = web.Application()
    app.router.add_get("/ann.json", config)
    async with TestServer(app) as server:
        url = str(server.make_url("/ann.json"))
        given = await asyncio.to_thread(read_settings_file, url)
        missing = str(server.make_url("/other.json"))
        with pytest.raises(ConfigError, match=r"GET http.*/other\.json answered 404"):
            await asyncio.to_thread(read_settings_file, missing)
    assert given.payment_addr == ADDRESS


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"file /no/such\.json cannot be read: No such file"):
        read_settings_file("/no/such.json")


def test_a_server_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/ann.json"
    with pytest.raises(ConfigError, match=f"configuration file cannot be read: GET {url} failed"):
        read_settings_file(url)


def test_flags_win_over_the_file() -> None:
    flags = GivenSettings(uploaders=7, pools=("http://flag.example",), devices=("numpy",))
    settings = flags.settle(decode_settings(json.dumps(FILE), "ann.json"))
    assert settings.pools == ("http://flag.example",)
    assert settings.uploaders == 7
    assert settings.upload_timeout == 40
    assert settings.devices == ("numpy",)


def test_a_flag_of_zero_is_not_taken_for_silence() -> None:
    flags = GivenSettings(mine_old_anns=0)
    assert flags.settle(decode_settings(json.dumps(FILE), "ann.json")).mine_old_anns == 0


def test_without_an_address_it_says_where_to_give_one() -> None:
    with pytest.raises(ConfigError, match='-p, or "payment_addr" in the configuration file'):
        GivenSettings(pools=(POOL,)).settle(GivenSettings())


def test_without_a_pool_it_says_so() -> None:
    with pytest.raises(ConfigError, match="no pool to mine for"):
        GivenSettings(payment_addr=ADDRESS).settle(GivenSettings())


def test_minus_one_means_as_the_pool_says() -> None:
    file = decode_settings(json.dumps({**FILE, "mine_old_anns": -1}), "ann.json")
    assert GivenSettings().settle(file).mine_old_anns is None


def test_a_flag_of_minus_one_wins_over_the_file() -> None:
    flags = GivenSettings(mine_old_anns=-1)
    assert flags.settle(decode_settings(json.dumps(FILE), "ann.json")).mine_old_anns is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ann.json: not JSON"),
        ("[]", "ann.json: expected a JSON object, got an array"),
        ('{"pool": []}', 'ann.json: unknown key "pool", known are pools, threads, payment_addr,'),
        ('{"pools": "http://a"}', 'ann.json: field "pools" must be an array'),
        ('{"pools": [1]}', 'ann.json: field "pools" must be an array of strings'),
        ('{"threads": "2"}', 'ann.json: field "threads" must be an integer from 1 to'),
        ('{"threads": true}', 'ann.json: field "threads" must be an integer from 1 to'),
        ('{"payment_addr": 1}', 'ann.json: field "payment_addr" must be a string'),
        ('{"uploaders": 0}', 'ann.json: field "uploaders" must be an integer from 1 to'),
        ('{"upload_timeout": 1.5}', 'ann.json: field "upload_timeout" must be an integer'),
        ('{"mine_old_anns": 6}', 'ann.json: field "mine_old_anns" must be an integer from -1 to 5'),
    ],
)
def test_a_wrong_file_is_refused_naming_the_key(text: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_settings(text, "ann.json")


def test_a_wrong_file_is_a_configuration_error(tmp_path: Path) -> None:
    path = tmp_path / "ann.json"
    path.write_text('{"poolz": []}')
    with pytest.raises(ConfigError, match=r'unknown key "poolz".*Correct the configuration file'):
        read_settings_file(str(path))
