"""How a devnet is set up so that it is lively on two cores: its constants, and its pool.toml."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packetcrypt.pool.devnet_ports import LOOPBACK
from packetcrypt.protocol.address import WitnessProgram, format_address
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.primitives import h32

POOL_TOML: Final = "pool.toml"
NODE_USER: Final = "x"
MAX_HANDLERS: Final = 16
MIN_BLOCK_SECONDS: Final = 1.0


def _address_of_nobody(role: str) -> str:
    return format_address(WitnessProgram(0, h32(f"packetcrypt devnet: {role}".encode())))


ANNOUNCEMENT_MINER: Final = _address_of_nobody("announcement miner")
BLOCK_MINER: Final = _address_of_nobody("block miner")
DEFAULT_ADDRESS: Final = _address_of_nobody("default")
"""Addresses that nobody has the key of: whom the two miners mine for, and who gets what nobody
earned. A summary tells by them which side was paid what."""

ANN_TARGET: Final = 0x2000FFFF
"""Difficulty 256: 250 to 700 announcements a second from one core, as busy as it is otherwise. A
block miner has thousands within seconds."""

MINE_OLD_ANNS: Final = 2
"""Announcements can be mined with when they are three blocks old. Those for the block two behind
the tip can be used at once; a devnet does not wait two blocks for its first ones."""

SHARE_WORK_DIVISOR: Final = 2
"""About eight shares a block. The chain judges each in plain Python, a third of a second of a core;
the usual 4 would give 64 a block and leave the miners little of two cores."""

BLOCK_MINER_MEMORY: Final = 16
BLOCK_MINER_FREE: Final = 0.7
"""`blk -m`, MiB, of which `--minfree` is not mined with: what it mines with are 3932 announcements.
They are there half a minute after the start; from then on the power multiplier, which goes with the
square of their number, stands still. While it grows, a work may have many times the shares that it
should have, and the chain cannot judge so many."""

SET_SIZE: Final = 3932
"""announcements that it mines with, therefore; the chain is told, so that its targets are for them
while there are fewer"""

BLOCK_PAYOUT_FRACTION: Final = 0.4
PPLNS_BLK_CONSTANT_X: Final = 2.5
PPLNS_ANN_CONSTANT_X: Final = 0.125
"""The payout of a block is fixed when its predecessor is found, from the work before that. A share
is half of a block's work, so that two fill the window (0.4 × 2.5 credits) of their part; but a
lucky block may have no share before it. Announcements fill theirs (0.6 × 0.125 credits) in seconds.
So from the second block on more than half is the miners', whatever the luck."""

UPDATE_CYCLE: Final = 3.0
PAYLOG_SECONDS: Final = 2.0
"""Seconds between two payouts told to the chain, and between two uploads of what was done: work
is paid five seconds later, instead of three minutes."""

FILE_SECONDS: Final = 1.0
"""A block miner has an announcement a second or two after its handler took it."""

POLL_INTERVAL: Final = 0.25
"""seconds between two questions for a new block: everything is on one machine, and is asked from
memory"""

STOP_SECONDS: Final = 10.0
"""in which a handler finishes what it has taken in"""


@dataclass(frozen=True, kw_only=True)
class DevnetSettings:
    """What can be chosen about a devnet.

    folder        : where everything is kept
    handlers      : announcement handlers
    device        : what miners and handlers compute on, see `engine.devices`
    threads       : cores of a CPU device that each miner and each handler uses
    block_seconds : the chain adjusts its difficulty to a block every so many seconds
    first_port    : of the ports listened at; 0: free ones
    verbose       : services log more
    """

    folder: Path
    handlers: int = 1
    device: str = "auto"
    threads: int = 1
    block_seconds: float = 30.0
    first_port: int = 0
    verbose: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.handlers <= MAX_HANDLERS:
            raise ConfigError(
                f"a devnet cannot have {self.handlers} announcement handlers: "
                f"give 1 to {MAX_HANDLERS}"
            )
        if not MIN_BLOCK_SECONDS <= self.block_seconds < 1e6:
            raise ConfigError(
                f"a block every {self.block_seconds:g} s cannot be aimed at: give "
                f"{MIN_BLOCK_SECONDS:g} s or more"
            )

    @property
    def file(self) -> Path:
        """The pool's settings."""
        return self.folder / POOL_TOML

    @property
    def handler_names(self) -> tuple[str, ...]:
        """Of the announcement handlers, in the order that numbers them."""
        return tuple(f"ah{number}" for number in range(self.handlers))


@dataclass(frozen=True)
class Passwords:
    """Between the services of one run."""

    node: str = field(default_factory=secrets.token_urlsafe, repr=False)
    paymaker: str = field(default_factory=secrets.token_urlsafe, repr=False)
    announcements: str = field(default_factory=secrets.token_urlsafe, repr=False)


@dataclass(frozen=True)
class DevnetUrls:
    """Where the services answer; `handlers` by name."""

    chain: str
    master: str
    paymaker: str
    handlers: Mapping[str, str]
    block_handler: str

    @classmethod
    def at(cls, ports: Sequence[int], handler_names: tuple[str, ...]) -> "DevnetUrls":
        """The master is at the first of the ports, because its page is what people look at."""
        master, chain, paymaker, block_handler, *handlers = (
            f"http://{LOOPBACK}:{port}" for port in ports
        )
        by_name = dict(zip(handler_names, handlers, strict=True))
        return cls(chain, master, paymaker, by_name, block_handler)

    @staticmethod
    def count(handlers: int) -> int:
        """How many ports so many announcement handlers take altogether."""
        return 4 + handlers


def write_pool_toml(settings: DevnetSettings, urls: DevnetUrls, passwords: Passwords) -> None:
    """Writes `settings.file`, for its owner only: it has the passwords."""
    tables = _tables(settings, urls, passwords)
    text = "\n".join(
        (f"[{name}]\n" if name else "")
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )
    draft = settings.file.with_name(settings.file.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("# Written anew by `packetcrypt devnet` at every start.\n" + text)
    draft.replace(settings.file)


Table = Mapping[str, str | int | float]


def _tables(
    settings: DevnetSettings, urls: DevnetUrls, passwords: Passwords
) -> Mapping[str, Table]:
    handlers: dict[str, Table] = {
        f"ann_handler.{name}": {
            **_answering_at(urls.handlers[name]),
            "devices": settings.device,
            "threads": settings.threads,
            "poll_interval": POLL_INTERVAL,
            "file_seconds": FILE_SECONDS,
            "paylog_seconds": PAYLOG_SECONDS,
            "shutdown_timeout": STOP_SECONDS,
            "block_miner_passwd": passwords.announcements,
        }
        for name in settings.handler_names
    }
    return {
        "": {
            "master_url": urls.master,
            "root_workdir": str(settings.folder.resolve()),
            "paymaker_http_password": passwords.paymaker,
        },
        "devchain": {
            "bind": _bind(urls.chain),
            "block_seconds": settings.block_seconds,
            "set_size": SET_SIZE,
        },
        "pktd": {"url": urls.chain, "user": NODE_USER, "password": passwords.node},
        "master": {
            "bind": _bind(urls.master),
            "paymaker_url": urls.paymaker,
            "pool_name": "PacketCrypt devnet",
            "ann_target": ANN_TARGET,
            "mine_old_anns": MINE_OLD_ANNS,
            "share_work_divisor": SHARE_WORK_DIVISOR,
            "poll_interval": POLL_INTERVAL,
        },
        "paymaker": {
            "bind": _bind(urls.paymaker),
            "default_address": DEFAULT_ADDRESS,
            "error_address": DEFAULT_ADDRESS,
            "block_payout_fraction": BLOCK_PAYOUT_FRACTION,
            "pplns_blk_constant_x": PPLNS_BLK_CONSTANT_X,
            "pplns_ann_constant_x": PPLNS_ANN_CONSTANT_X,
            "update_cycle": UPDATE_CYCLE,
        },
        **handlers,
        "block_handler.bh0": {
            **_answering_at(urls.block_handler),
            "poll_interval": POLL_INTERVAL,
            "paylog_seconds": PAYLOG_SECONDS,
            "shutdown_timeout": STOP_SECONDS,
        },
    }


def _answering_at(url: str) -> Table:
    return {"public_url": url, "bind": _bind(url)}


def _bind(url: str) -> str:
    return url.removeprefix("http://")
