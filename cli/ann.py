"""`packetcrypt ann`: mine announcements for pools."""

import asyncio

import click

from packetcrypt.cli.answering import run_answering
from packetcrypt.cli.options import (
    device_option,
    log_to_stderr,
    metrics_option,
    threads_option,
)
from packetcrypt.engine import AnnouncementEngine
from packetcrypt.miner.ann_metrics import announcement_operations
from packetcrypt.miner.announcement_miner import AnnouncementMiner
from packetcrypt.miner.settings import (
    AS_THE_POOL_SAYS,
    GivenSettings,
    read_settings_file,
)
from packetcrypt.protocol.pool_messages import TRACKED_PARENTS


@click.command(name="ann")
@click.argument("pools", metavar="POOL...", nargs=-1)
@click.option("-p", "--paymentaddr", metavar="ADDR", help="Your address, which the pools pay.")
@click.option(
    "-U",
    "--uploaders",
    metavar="N",
    type=click.IntRange(1),
    help="Uploads at a time to one announcement handler. Default: 10.",
)
@click.option(
    "-T",
    "--uploadtimeout",
    metavar="SECONDS",
    type=click.FloatRange(1),
    help="After this an upload counts as lost. Default: 30.",
)
@click.option(
    "-m",
    "--mineold",
    metavar="N",
    type=click.IntRange(AS_THE_POOL_SAYS, TRACKED_PARENTS - 1),
    help="Mine for the block N behind the tip; -1, the default, leaves it to the first pool.",
)
@click.option(
    "-c",
    "--config",
    metavar="FILE|URL",
    help="JSON configuration, a file or an http(s) URL; flags win over it.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@metrics_option
@threads_option
@device_option
def command(
    pools: tuple[str, ...],
    paymentaddr: str | None,
    uploaders: int | None,
    uploadtimeout: float | None,
    mineold: int | None,
    config: str | None,
    verbose: bool,
    metrics: tuple[str, int] | None,
    threads: int | None,
    devices: tuple[str, ...],
) -> None:
    """Mine announcements and send them to every POOL, given by its master URL.

    The first pool decides difficulty, parent block and signing key; put the one with the highest
    difficulty first. Ctrl-C sends what is queued and stops.

    \b
    packetcrypt ann -p pkt1q... http://pool.example
    packetcrypt ann -c miner.json --device gpu
    """
    log_to_stderr(verbose)
    flags = GivenSettings(
        payment_addr=paymentaddr,
        pools=pools or None,
        threads=threads,
        uploaders=uploaders,
        upload_timeout=uploadtimeout,
        mine_old_anns=mineold,
        devices=devices,
    )
    in_file = GivenSettings() if config is None else read_settings_file(config)
    settings = flags.settle(in_file)
    with AnnouncementEngine(settings.devices, settings.threads) as engine:
        miner = AnnouncementMiner(settings, engine)
        operations = announcement_operations(miner, engine.statistics)
        asyncio.run(run_answering(miner, operations, metrics))
