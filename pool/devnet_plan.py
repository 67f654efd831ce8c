"""Which processes a devnet consists of, and in which order they are started."""

from collections.abc import Sequence

from packetcrypt.pool.devnet_service import Service
from packetcrypt.pool.devnet_settings import (
    ANNOUNCEMENT_MINER,
    BLOCK_MINER,
    BLOCK_MINER_FREE,
    BLOCK_MINER_MEMORY,
    STOP_SECONDS,
    DevnetSettings,
    DevnetUrls,
    Passwords,
)

MARGIN_SECONDS = 5.0
"""that a service gets beyond the time it is told to stop in"""


def stages(
    settings: DevnetSettings, urls: DevnetUrls, passwords: Passwords, command: Sequence[str]
) -> tuple[tuple[Service, ...], ...]:
    """The services, by stages: each needs those before it.

    command : what runs `packetcrypt`: a program's absolute path, and arguments before the
              subcommand
    """
    verbose = ("-v",) if settings.verbose else ()

    def service(kind: str, name: str, ready: str, url: str, *arguments: str) -> Service:
        own = (*command, kind, *verbose, "-C", str(settings.file.resolve()), *arguments)
        seconds = STOP_SECONDS + MARGIN_SECONDS
        return Service(name=name, command=own, ready=ready, stop_seconds=seconds, url=url)

    def miner(kind: str, address: str, *arguments: str) -> Service:
        compute = ("-t", str(settings.threads), "--device", settings.device)
        return Service(
            name=kind,
            command=(*command, kind, *verbose, "-p", address, *compute, *arguments, urls.master),
            stop_seconds=MARGIN_SECONDS,
            # Not an option: other users of the machine see those.
            environment={"PACKETCRYPT_HANDLER_PASSWORD": passwords.announcements},
        )

    block_mining = ("-m", str(BLOCK_MINER_MEMORY), "--minfree", str(BLOCK_MINER_FREE))
    first, *others = (
        service("ah", name, "takes announcements at", url, name)
        for name, url in urls.handlers.items()
    )
    return (
        (service("devchain", "devchain", "development chain answers at", urls.chain),),
        # Before there is work: the chain's templates pay nobody until they are told whom.
        (service("paymaker", "paymaker", "told pktd to pay", urls.paymaker),),
        (service("master", "master", "master answers at", urls.master),),
        (first, service("bh", "bh0", "takes shares at", urls.block_handler, "bh0")),
        # On a machine that is new to them, kernels are compiled once, by the first handler: the
        # other handlers and the announcement miner have the same ones.
        tuple(others),
        (miner("ann", ANNOUNCEMENT_MINER), miner("blk", BLOCK_MINER, *block_mining)),
    )
