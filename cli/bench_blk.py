"""`packetcrypt bench blk`: how fast devices mine blocks."""

import json
from dataclasses import asdict

import click

from packetcrypt.cli.options import device_option, seconds_option, threads_option
from packetcrypt.engine.block_benchmark import BlockBenchmark, benchmark_blocks
from packetcrypt.engine.devices import select_devices


@click.command()
@click.option(
    "-m",
    "--maxmem",
    "memory_mb",
    metavar="MB",
    type=click.IntRange(1),
    default=1024,
    show_default=True,
    help="Memory for announcements, 1024 a MB.",
)
@seconds_option(0.1, default=10.0, help="For how long.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a device, each on a line.")
@device_option
@threads_option
def blk(
    memory_mb: int, seconds: float, as_json: bool, devices: tuple[str, ...], threads: int | None
) -> None:
    """Mine blocks with a fixed set of announcements for a while and say how fast that was.

    Every selected device is measured alone, one after the other, after it reproduced known answers;
    afterwards some of its hashes are computed again by the plain implementation.
    """
    for device in select_devices(devices):
        if not as_json:
            click.echo(f"{device}: mining with {memory_mb} MB for {seconds:g} s …", err=True)
        result = benchmark_blocks(device, seconds, memory_mb, threads)
        click.echo(json.dumps(asdict(result)) if as_json else _text(result))


def _text(result: BlockBenchmark) -> str:
    return (
        f"{result.device}: {result.hashes_per_second / 1000:.1f} kH/s with "
        f"{result.announcements} announcements; known answers reproduced"
    )
