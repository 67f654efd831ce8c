"""`packetcrypt bench check`: how fast devices check announcements of others."""

import json
from dataclasses import asdict

import click

from packetcrypt.cli.options import device_option, seconds_option, threads_option
from packetcrypt.engine.check_benchmark import CheckBenchmark, benchmark_checks
from packetcrypt.engine.devices import select_devices


@click.command()
@seconds_option(0.1, default=10.0, help="For about how long.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a device, each on a line.")
@device_option
@threads_option
def check(seconds: float, as_json: bool, devices: tuple[str, ...], threads: int | None) -> None:
    """Check announcements for a while, as an announcement handler does, and say how fast.

    First those of one job, which share their random programs; then announcements of as many
    different jobs as could be mined in half of the time, which have nothing in common.
    """
    for device in select_devices(devices):
        if not as_json:
            click.echo(f"{device}: mining and checking for {seconds:g} s …", err=True)
        result = benchmark_checks(device, seconds, threads)
        click.echo(json.dumps(asdict(result)) if as_json else _text(result))


def _text(result: CheckBenchmark) -> str:
    return (
        f"{result.device}: {result.announcements_per_second:.0f} announcements/s of one job "
        f"({result.announcements}), {result.distinct_announcements_per_second:.0f} announcements/s "
        f"all of different jobs ({result.distinct_announcements}); known answers reproduced"
    )
