"""What an announcement miner is told, and from where: flags, then a JSON file, then defaults."""

import asyncio
import json
from dataclasses import dataclass, fields
from pathlib import Path

import aiohttp

from packetcrypt.client.http import HttpLimits, check_url, get
from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.errors import ConfigError, DecodeError, PoolError
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.pool_messages import TRACKED_PARENTS

AS_THE_POOL_SAYS = -1
"""`mine_old_anns` of flags and files: leave it to the first pool."""

_FILE_LIMITS = HttpLimits(body_size=64 * 1024, seconds=30.0)
_MAX_THREADS = 4096
_MAX_UPLOADERS = 1024
_MAX_TIMEOUT = 3600


@dataclass(frozen=True, kw_only=True)
class AnnouncementMinerSettings:
    """Everything that `packetcrypt ann` can be told. Raises `ConfigError` for what cannot work.

    payment_addr   : PKT address that the pools pay to
    pools          : master URLs; the first one decides what is mined, all get every announcement
    threads        : cores that CPU devices use; None for all of them
    uploaders      : uploads at a time to one announcement handler
    upload_timeout : seconds after which an upload counts as lost
    mine_old_anns  : how many blocks behind the tip to mine for; None as the first pool says
    devices        : device selections (design §1), e.g. "gpu", "numpy", "0:1"; "auto" by default
    """

    payment_addr: str
    pools: tuple[str, ...]
    threads: int | None = None
    uploaders: int = 10
    upload_timeout: float = 30.0
    mine_old_anns: int | None = None
    devices: tuple[str, ...] = ("auto",)

    def __post_init__(self) -> None:
        try:
            parse_address(self.payment_addr)
        except DecodeError as error:
            raise ConfigError(f"payment_addr: {error}") from error
        if not self.pools:
            raise ConfigError("there is no pool to mine for: give at least one pool's master URL")
        for pool in self.pools:
            check_url(pool)
        for pool in self.pools:
            if [other.rstrip("/") for other in self.pools].count(pool.rstrip("/")) > 1:
                raise ConfigError(
                    f"pool {pool} is given twice, and would refuse the second copy of every "
                    "announcement as a duplicate: give each pool once"
                )
        if self.threads is not None:
            _check_range("threads", self.threads, 1, _MAX_THREADS)
        _check_range("uploaders", self.uploaders, 1, _MAX_UPLOADERS)
        _check_range("upload_timeout", self.upload_timeout, 1, _MAX_TIMEOUT)
        if self.mine_old_anns is not None:
            _check_range("mine_old_anns", self.mine_old_anns, 0, TRACKED_PARENTS - 1)
        if not self.devices:
            raise ConfigError('devices: the list is empty, give at least one, e.g. "auto"')


@dataclass(frozen=True, kw_only=True)
class GivenSettings:
    """What one source (the flags, or the file) says; None where it says nothing.

    mine_old_anns : `AS_THE_POOL_SAYS` is a word of its own, and wins over another source's number
    """

    payment_addr: str | None = None
    pools: tuple[str, ...] | None = None
    threads: int | None = None
    uploaders: int | None = None
    upload_timeout: float | None = None
    mine_old_anns: int | None = None
    devices: tuple[str, ...] | None = None

    def settle(self, fallback: "GivenSettings") -> AnnouncementMinerSettings:
        """These settings, where they say nothing those of `fallback`, and else the defaults."""
        settled = {}
        for field in fields(self):
            mine = getattr(self, field.name)
            value = getattr(fallback, field.name) if mine is None else mine
            if value is not None:
                settled[field.name] = value
        if settled.get("mine_old_anns") == AS_THE_POOL_SAYS:
            del settled["mine_old_anns"]
        if "payment_addr" not in settled:
            raise ConfigError(
                "there is no address to pay to: give one of your own PKT wallet with -p, "
                'or "payment_addr" in the configuration file'
            )
        settled.setdefault("pools", ())
        return AnnouncementMinerSettings(**settled)


FILE_KEYS = ("pools", "threads", "payment_addr", "uploaders", "upload_timeout", "mine_old_anns")
"""The keys of the JSON configuration (spec 2 "Miner behaviour to keep")."""


def read_settings_file(source: str) -> GivenSettings:
    """What the JSON configuration at a path or URL says; `ConfigError` names it and the key."""
    text = _read(source)
    try:
        return decode_settings(text, source)
    except DecodeError as error:
        raise ConfigError(f"{error}. Correct the configuration file.") from error


def decode_settings(text: bytes | str, source: str) -> GivenSettings:
    """Reads the JSON text of a configuration; DecodeError names `source` and the key."""
    given = JsonFields.parse(text, source)
    unknown = sorted(given.names() - set(FILE_KEYS))
    if unknown:
        raise DecodeError(
            f"{source}: unknown key {json.dumps(unknown[0])}, known are {', '.join(FILE_KEYS)}"
        )

    def integer(name: str, low: int, high: int) -> int | None:
        return None if given.is_absent(name) else given.integer(name, low, high)

    return GivenSettings(
        payment_addr=None if given.is_absent("payment_addr") else given.text("payment_addr"),
        pools=None if given.is_absent("pools") else given.texts("pools"),
        threads=integer("threads", 1, _MAX_THREADS),
        uploaders=integer("uploaders", 1, _MAX_UPLOADERS),
        upload_timeout=integer("upload_timeout", 1, _MAX_TIMEOUT),
        mine_old_anns=integer("mine_old_anns", AS_THE_POOL_SAYS, TRACKED_PARENTS - 1),
    )


def _read(source: str) -> bytes:
    if source.startswith(("http://", "https://")):
        try:
            return asyncio.run(_download(source))
        except PoolError as error:
            raise ConfigError(f"the configuration file cannot be read: {error}") from error
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the configuration file {source} cannot be read: {error.strerror}. Check its path."
        ) from error


async def _download(url: str) -> bytes:
    async with aiohttp.ClientSession() as session:
        answer = await get(session, url, _FILE_LIMITS)
    if answer.status != 200:
        raise PoolError(f"GET {url} answered {answer.status}. Check the URL.")
    return answer.body


def _check_range(name: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}, but it must be from {low} to {high}")
