"""`packetcrypt bench`: measure devices."""

import json
from dataclasses import asdict

import click

from packetcrypt.cli.options import (
    device_option,
    seconds_option,
    threads_option,
    work_bits_option,
)
from packetcrypt.engine.benchmark import AnnouncementBenchmark, benchmark_announcements
from packetcrypt.engine.devices import select_devices


@click.group(name="bench")
def command() -> None:
    """Measure devices."""


@command.command()
@work_bits_option(default="2001ffff", show_default=True, help="Compact target to mine for.")
@seconds_option(0.1, default=10.0, help="For how long.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a device, each on a line.")
@device_option
@threads_option
def ann(
    work_bits: int,
    seconds: float,
    as_json: bool,
    devices: tuple[str, ...],
    threads: int | None,
) -> None:
    """Mine announcements of a fixed workload for a while and say how fast that was.

    Every selected device is measured alone, one after the other, after it reproduced known answers.
    """
    for device in select_devices(devices):
        if not as_json:
            click.echo(f"{device}: mining for {seconds:g} s …", err=True)
        result = benchmark_announcements(device, seconds, work_bits, threads)
        click.echo(json.dumps(asdict(result)) if as_json else _text(result))


def _text(result: AnnouncementBenchmark) -> str:
    return (
        f"{result.device}: {result.hashes_per_second / 1000:.1f} Ke/s, "
        f"{result.announcements_per_second:.1f} announcements/s at work bits "
        f"{result.work_bits:08x}; a job is prepared in {1000 * result.prepare_seconds:.0f} ms; "
        "known answers reproduced"
    )
