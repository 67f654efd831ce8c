"""`packetcrypt tune`: find and keep what makes devices fastest."""

import json
from dataclasses import asdict

import click

from packetcrypt.cli.options import device_option, seconds_option, threads_option
from packetcrypt.engine import tuning_cache
from packetcrypt.engine.devices import select_devices
from packetcrypt.engine.tuning import SECONDS, Trial, TuningResult, tune
from packetcrypt.kernels.tuning import Tuning


@click.command(name="tune")
@seconds_option(1.0, default=SECONDS, help="Time for each device.")
@click.option("--forget", is_flag=True, help="Drop what was kept, and go back to the defaults.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a device, each on a line.")
@device_option
@threads_option
def command(
    seconds: float, forget: bool, as_json: bool, devices: tuple[str, ...], threads: int | None
) -> None:
    """Try batch sizes, work-items and launches in flight on every device, and keep the fastest.

    What is found is used by all commands from then on, until the driver, our version or the number
    of cores is another. The defaults are kept where nothing is clearly faster.
    """
    chosen = select_devices(devices)
    if forget:
        for device in chosen:
            dropped = tuning_cache.forget(device)
            click.echo(f"{device}: {dropped or 'no'} tuning{'' if dropped == 1 else 's'} dropped")
        return
    tuning_cache.check_writable()  # already here, so that nobody tunes in vain
    for device in chosen:
        if not as_json:
            click.echo(
                f"{device}: trying for {seconds:g} s, after its kernels are compiled …", err=True
            )
        result = tune(device, threads, seconds, tried=_silent if as_json else _show)
        file = tuning_cache.save(device, result.cores, result.best)
        click.echo(json.dumps(asdict(result)) if as_json else f"{_text(result)}; kept in {file}")


def _silent(_: Trial) -> None:
    pass


def _show(trial: Trial) -> None:
    if trial.problem is not None:
        click.echo(f"  {_settings(trial.tuning)}: {trial.problem}", err=True)
        return
    click.echo(
        f"  {_settings(trial.tuning)}: {trial.hashes_per_second / 1000:9.1f} Ke/s, "
        f"{trial.ratio:.3f} times the best so far (lower quartile {trial.low_ratio:.3f})",
        err=True,
    )


def _settings(tuning: Tuning) -> str:
    return (
        f"batch {tuning.batch:5}, {tuning.work_items:5} work-items in groups of "
        f"{tuning.group_size:3}, {tuning.rounds:2} rounds, {tuning.launches} launches in flight"
    )


def _text(result: TuningResult) -> str:
    if result.best == result.default:
        verdict = "nothing is clearly faster than the default"
    else:
        verdict = f"{result.gain:.3f} times as fast as the default"
    unfinished = "" if result.complete else "; time ran out, so give more --seconds to try all"
    settings = " ".join(_settings(result.best).split())
    return f"{result.device.name}: {verdict}: {settings}{unfinished}"
