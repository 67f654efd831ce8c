"""`packetcrypt blk`: mine blocks for a pool."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import click

from packetcrypt.cli.answering import run_answering
from packetcrypt.cli.options import (
    device_option,
    log_to_stderr,
    metrics_option,
    threads_option,
)
from packetcrypt.engine import AnnouncementChecker
from packetcrypt.engine.block_engine import BlockEngine
from packetcrypt.miner.blk_metrics import block_operations
from packetcrypt.miner.block_miner import BlockMiner
from packetcrypt.miner.block_settings import AnnouncementTrust, BlockMinerSettings


@contextmanager
def _closing_together(engine: BlockEngine, checker: AnnouncementChecker) -> Iterator[None]:
    """Each may wait a second for its drivers, which is too long one after the other."""
    try:
        yield
    finally:
        closing = Thread(target=checker.close, name="close checker")
        closing.start()
        engine.close()
        closing.join()


@click.command(name="blk")
@click.argument("pool", metavar="POOL")
@click.option(
    "-p", "--paymentaddr", metavar="ADDR", required=True, help="Your address, which the pool pays."
)
@click.option(
    "-m",
    "--maxmem",
    metavar="MB",
    type=int,
    default=4096,
    show_default=True,
    help="Memory for announcements. The more of them, the more every hash is worth.",
)
@click.option(
    "-f",
    "--minfree",
    metavar="FRACTION",
    type=float,
    default=0.1,
    show_default=True,
    help="Part of the memory kept free for new announcements.",
)
@click.option(
    "-d",
    "--downloaders",
    metavar="N",
    type=int,
    default=30,
    show_default=True,
    help="Downloads of announcements at a time.",
)
@click.option(
    "-u",
    "--uploaders",
    metavar="N",
    type=int,
    default=4,
    show_default=True,
    help="Uploads of shares at a time.",
)
@click.option(
    "-T",
    "--uploadtimeout",
    metavar="SECONDS",
    type=float,
    default=30.0,
    show_default=True,
    help="After this an upload has failed.",
)
@click.option(
    "-P",
    "--handlerpass",
    metavar="PASSWORD",
    envvar="PACKETCRYPT_HANDLER_PASSWORD",
    default="",
    help="The pool's password for block miners; also read from $PACKETCRYPT_HANDLER_PASSWORD, "
    "which other users of the machine cannot see.",
)
@click.option(
    "-s",
    "--subscribe",
    "sprayers",
    metavar="HOST:PORT",
    multiple=True,
    help="Announcement sprayer to subscribe to. Repeatable.",
)
@click.option(
    "-b",
    "--bind",
    metavar="ADDR:PORT",
    default="0.0.0.0:0",
    show_default=True,
    help="Where sprayed announcements arrive.",
)
@click.option(
    "-S",
    "--sprayerthreads",
    metavar="N",
    type=int,
    default=4,
    show_default=True,
    help="Sockets among which a sprayer divides what it sends.",
)
@click.option(
    "-M",
    "--mss",
    metavar="BYTES",
    type=int,
    default=1472,
    help="Largest datagram, for existing scripts: datagrams of every size are received.",
)
@click.option("--mcast", metavar="GROUP:PORT", default="", help="Multicast group to receive.")
@click.option(
    "--trust",
    type=click.Choice([trust.value for trust in AnnouncementTrust]),
    default=AnnouncementTrust.NONE.value,
    show_default=True,
    help="Check every announcement before mining with it (none), some of each delivery (sample), "
    "or leave that to the handlers (all).",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@metrics_option
@threads_option
@device_option
def command(
    pool: str,
    paymentaddr: str,
    maxmem: int,
    minfree: float,
    downloaders: int,
    uploaders: int,
    uploadtimeout: float,
    handlerpass: str,
    sprayers: tuple[str, ...],
    bind: str,
    sprayerthreads: int,
    mss: int,
    mcast: str,
    trust: str,
    verbose: bool,
    metrics: tuple[str, int] | None,
    threads: int | None,
    devices: tuple[str, ...],
) -> None:
    """Collect announcements from the handlers of POOL, given by its master URL, and mine blocks.

    Announcements come over HTTP from the handlers that the pool names, and over UDP from the
    sprayers that you name. Ctrl-C stops after the shares under way are sent.

    \b
    packetcrypt blk -p pkt1q... http://pool.example
    packetcrypt blk -p pkt1q... -m 16384 -P secret -s 192.0.2.7:6666 http://pool.example
    """
    log_to_stderr(verbose)
    settings = BlockMinerSettings(
        pool=pool,
        payment_addr=paymentaddr,
        threads=threads,
        memory_mb=maxmem,
        downloaders=downloaders,
        min_free=minfree,
        upload_timeout=uploadtimeout,
        uploaders=uploaders,
        handler_pass=handlerpass,
        sprayers=sprayers,
        bind=bind,
        sprayer_shares=sprayerthreads,
        mcast=mcast,
        trust=AnnouncementTrust(trust),
        devices=devices,
    )
    with (
        AnnouncementChecker(settings.devices, settings.threads) as checker,
        BlockEngine(
            settings.devices,
            settings.threads,
            memory_mb=settings.memory_mb,
            min_free=settings.min_free,
        ) as engine,
        _closing_together(engine, checker),
    ):
        miner = BlockMiner(settings, engine, checker)
        asyncio.run(run_answering(miner, block_operations(miner), metrics))
