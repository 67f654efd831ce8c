"""Which options several commands share, and how their values are read."""

import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from packetcrypt.handler.listen_address import listen_address
from packetcrypt.handler.settings_overrides import Override, environment_overrides

F = TypeVar("F", bound=Callable[..., Any])


def hash_option(name: str, help: str, **attributes: Any) -> Callable[[F], F]:
    """An option for 32 bytes as 64 hexadecimal digits, in internal byte order."""
    return click.option(name, metavar="HEX", callback=_read_hash, help=help, **attributes)


def _read_hash(_ctx: click.Context, _option: click.Parameter, value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        data = bytes.fromhex(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not hexadecimal; give 64 digits") from None
    if len(data) != 32:
        raise click.BadParameter(
            f"{value!r} has {len(data)} bytes; give 32 bytes (64 hexadecimal digits)"
        )
    return data


def work_bits_option(help: str, **attributes: Any) -> Callable[[F], F]:
    """`--work-bits HEX`: a compact target."""
    return click.option(
        "--work-bits", metavar="HEX", callback=_read_compact, help=help, **attributes
    )


def _read_compact(_ctx: click.Context, _option: click.Parameter, value: str) -> int:
    try:
        return int(value, 16)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not a hexadecimal compact target, e.g. 2001ffff"
        ) from None


def seconds_option(minimum: float, default: float, help: str) -> Callable[[F], F]:
    """`--seconds S`: how long something is to take."""
    return click.option(
        "--seconds",
        metavar="S",
        type=click.FloatRange(minimum),
        callback=_refuse_endless,
        default=default,
        show_default=True,
        help=help,
    )


def _refuse_endless(_ctx: click.Context, _option: click.Parameter, value: float) -> float:
    # "inf" and "nan" are floats too, and no number is above either.
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no time; give a number of seconds")
    return value


U32 = click.IntRange(0, 0xFFFFFFFF)
U24 = click.IntRange(0, 0xFFFFFF)


def device_option(function: F) -> F:
    """`--device SEL`, repeatable."""
    return click.option(
        "--device",
        "devices",
        metavar="SEL",
        multiple=True,
        default=("auto",),
        show_default=True,
        help="Device to use: auto (every GPU, else the best CPU runtime), cpu, gpu, numpy, "
        "an index P:D as `packetcrypt devices` prints it, or part of a name. Repeatable.",
    )(function)


def threads_option(function: F) -> F:
    """`-t N`."""
    return click.option(
        "-t",
        "--threads",
        metavar="N",
        type=click.IntRange(1),
        help="Cores to use on CPU devices (compute units of PoCL, processes of numpy). "
        "Default: all of them.",
    )(function)


def metrics_option(function: F) -> F:
    """`--metrics ADDRESS:PORT`, of programs that serve nobody else."""
    return click.option(
        "--metrics",
        metavar="ADDRESS:PORT",
        callback=_read_listen_address,
        help="Answer /health, and /metrics for Prometheus, at this address, e.g. 127.0.0.1:9090. "
        "Default: nowhere.",
    )(function)


def _read_listen_address(
    _ctx: click.Context, _option: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    return None if value is None else listen_address(value, "--metrics")


def settings_options(function: F) -> F:
    """`-C FILE` and `--set KEY=VALUE`, of the services of a pool.

    The command gets `config`, the file's path, and `overrides`, what the environment and the flags
    set over the file.
    """
    file = click.option(
        "-C",
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("pool.toml"),
        show_default=True,
        help="The pool's settings file.",
    )
    flags = click.option(
        "--set",
        "overrides",
        metavar="KEY=VALUE",
        multiple=True,
        callback=_read_overrides,
        help="One setting over the file and the environment, e.g. master.bind=0.0.0.0:8080. "
        "Repeatable. Not for passwords, which every user of the machine would see.",
    )
    return file(flags(function))


def _read_overrides(
    _ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[Override, ...]:
    return (*environment_overrides(os.environ), *map(Override.of_flag, values))


def log_to_stderr(verbose: bool = False) -> None:
    """One line a message, with the time in seconds, as miners know it."""
    logging.basicConfig(
        format="%(created)d %(levelname)s %(message)s",
        level=logging.DEBUG if verbose else logging.INFO,
    )
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
