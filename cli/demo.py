"""`packetcrypt demo`: see announcements being mined and accepted, without any network."""

import logging
import sys
from functools import partial

import click

from packetcrypt.cli.options import device_option, seconds_option, threads_option
from packetcrypt.cli.signals import StopSignals, run_with_signals
from packetcrypt.engine.statistics import DeviceState
from packetcrypt.miner.log_line import format_goodrate, format_hashrate
from packetcrypt.pool.demo import DemoReport, run_demo

EXIT_NOTHING_ACCEPTED = 1


@click.command(name="demo")
@seconds_option(1.0, default=30.0, help="How long to mine.")
@threads_option
@device_option
def command(seconds: float, threads: int | None, devices: tuple[str, ...]) -> int:
    """Mine for a small pool on loopback and say what came of it.

    Starts a static pool (its chain is made up and stands still), an announcement handler and the
    announcement miner, all with real HTTP and real devices. Ctrl-C ends it early. Exit status 1 if
    nothing was accepted.
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    # Who waits for kernels to be compiled should know it.
    logging.getLogger("packetcrypt.engine.readiness").setLevel(logging.INFO)
    click.echo("Starting a pool on loopback and testing the devices …")
    report = run_with_signals(partial(_run, seconds, threads, devices))
    click.echo(f"\n\n{report.summary()}")
    (pool,) = report.mining.pools
    return 0 if pool.counts.accepted else EXIT_NOTHING_ACCEPTED


async def _run(
    seconds: float, threads: int | None, devices: tuple[str, ...], signals: StopSignals
) -> DemoReport:
    line = _Line()

    def show(report: DemoReport) -> None:
        signals.started()
        line.show(report)

    return await run_demo(seconds, devices, threads, show, signals.stop)


class _Line:
    """The live line: rewritten every second on a terminal, else printed every fifth second."""

    def __init__(self) -> None:
        self._on_terminal = sys.stdout.isatty()
        self._shown = 0

    def show(self, report: DemoReport) -> None:
        states = {device.state for device in report.engine.devices}
        text = "testing the devices …" if states == {DeviceState.STARTING} else self._text(report)
        if self._on_terminal:
            click.echo(f"\r{text}\033[K", nl=False)
        elif self._shown % 5 == 0:
            click.echo(text)
        self._shown += 1

    def _text(self, report: DemoReport) -> str:
        (pool,) = report.mining.pools
        return (
            f"{format_hashrate(report.hashes_per_second)}  "
            f"announcements: {report.engine.announcements} found, {pool.uploading} uploading, "
            f"{pool.counts.accepted} accepted, {pool.counts.rejected} rejected  "
            f"goodrate: {format_goodrate(pool)}"
        )
