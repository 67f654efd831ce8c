"""`packetcrypt bench ann`: how fast devices mine announcements."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from packetcrypt.cli.options import (
    device_option,
    seconds_option,
    threads_option,
    work_bits_option,
)
from packetcrypt.engine.benchmark import AnnouncementBenchmark, benchmark_announcements
from packetcrypt.engine.devices import select_devices


@click.command()
@work_bits_option(default="2001ffff", show_default=True, help="Compact target to mine for.")
@seconds_option(0.1, default=10.0, help="For how long.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a device, each on a line.")
@click.option(
    "--plot",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw a chart into FILE: .png, .svg or .pdf. Needs packetcrypt-engine[plot].",
)
@device_option
@threads_option
def ann(
    work_bits: int,
    seconds: float,
    as_json: bool,
    plot: Path | None,
    devices: tuple[str, ...],
    threads: int | None,
) -> None:
    """Mine announcements of a fixed workload for a while and say how fast that was.

    Every selected device is measured alone, one after the other, and has to reproduce known
    answers. A few seconds more show where its time goes.
    """
    if plot is not None:
        # Imported late: it loads matplotlib. Here already, so that nobody measures in vain.
        from packetcrypt.cli.bench_chart import draw_chart
        from packetcrypt.cli.chart_file import check_chart_file

        check_chart_file(plot)
    results = []
    for device in select_devices(devices):
        if not as_json:
            click.echo(f"{device}: mining for {seconds:g} s …", err=True)
        result = benchmark_announcements(device, seconds, work_bits, threads)
        click.echo(json.dumps(asdict(result)) if as_json else _text(result))
        results.append(result)
    if plot is not None:
        draw_chart(results, plot)


def _text(result: AnnouncementBenchmark) -> str:
    lines = [
        f"{result.device}: {result.hashes_per_second / 1000:.1f} Ke/s, "
        f"{result.announcements_per_second:.1f} announcements/s at work bits "
        f"{result.work_bits:08x}",
        f"  in {len(result.slices)} slices: median {result.slices_median / 1000:.1f} Ke/s, "
        f"{result.slices_lowest / 1000:.1f} to {result.slices_highest / 1000:.1f}",
    ]
    if result.stages is not None:
        stages = result.stages
        lines.append(
            f"  a job: tables {1000 * stages.tables:.1f} ms, search {1000 * stages.search:.1f} ms, "
            f"finishing {1000 * stages.finishing:.1f} ms of the device"
        )
    lines += [
        f"  a job is prepared in {1000 * result.prepare_seconds:.0f} ms; "
        f"{'tuned' if result.tuned else 'not tuned'}: batch {result.tuning.batch}, "
        f"{result.tuning.work_items} work-items, {result.tuning.launches} launches in flight",
        f"  known answers reproduced; {result.rechecked} announcements re-checked by the host",
    ]
    return "\n".join(lines)
