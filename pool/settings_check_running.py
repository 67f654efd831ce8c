"""Whether a pool's settings are those of the services that run: master and node are asked."""

from collections.abc import Sequence

import aiohttp

from packetcrypt.client.master import MasterClient
from packetcrypt.client.pktd import pktd_client
from packetcrypt.client.resolver import DaemonResolver
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.settings import AnnHandlerSettings, HandlerSettings
from packetcrypt.pool.pool_file import PoolFile, table_of, title
from packetcrypt.pool.settings_findings import Finding
from packetcrypt.pool.share_work import SigningKeys
from packetcrypt.protocol.errors import ConfigError, PoolError
from packetcrypt.protocol.pool_messages import BlockInfo, MasterConfig


async def check_master(pool: PoolFile) -> Sequence[Finding]:
    """Compares with the config.json and the signing key of the running master."""
    if pool.pool is None:
        return [
            pool.error((), "no table says which master to ask", "mend what is wrong, or add tables")
        ]
    connector = aiohttp.TCPConnector(resolver=DaemonResolver())
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            client = MasterClient(session, pool.pool.master_url)
            config = await client.config()
            tip = await client.blkinfo(config.tip_hash[::-1].hex())
    except PoolError as error:
        return [pool.error(("master_url",), f"the master cannot be compared with: {error}", "")]
    return [
        *_compare_handlers(pool, config),
        *_compare_rules(pool, config),
        *_compare_keys(pool, tip),
    ]


async def check_node(pool: PoolFile) -> Sequence[Finding]:
    """Whether pktd answers, as the settings say that it is asked."""
    if pool.pktd is None:
        return [pool.error(("pktd",), "no table [pktd] says which node to ask", "add it")]
    try:
        async with pktd_client(pool.pktd) as client:
            await client.best_block_hash()
    except (PoolError, ConfigError) as error:
        return [pool.error(("pktd",), f"the node cannot be used: {error}", "")]
    return []


def _compare_handlers(pool: PoolFile, config: MasterConfig) -> Sequence[Finding]:
    findings: list[Finding] = []
    for settings, listed in (
        (AnnHandlerSettings, config.submit_ann_urls),
        (BlockHandlerSettings, config.submit_block_urls),
    ):
        kind = settings.MASTERS_LIST
        handlers = [handler for handler in pool.handlers if isinstance(handler, settings)]
        urls = [url.rstrip("/") for url in listed]
        findings += _compare_list(pool, handlers, urls, kind)
        if pool.master is not None:
            own = {handler.submit_url for handler in handlers}
            findings += [
                pool.error(
                    ("master",),
                    f"the running master lists {url} in its {kind}, and no table here has it: "
                    "miners send there what is lost",
                    "restart the master, or add the handler's table",
                )
                for url in urls
                if url not in own
            ]
    return findings


def _compare_list(
    pool: PoolFile, handlers: Sequence[HandlerSettings], urls: Sequence[str], kind: str
) -> Sequence[Finding]:
    findings = []
    for handler in handlers:
        if handler.submit_url not in urls:
            findings.append(
                pool.error(
                    (*table_of(handler), "public_url"),
                    f'public_url = "{handler.public_url}" is not in the {kind} of the running '
                    "master, so that no miner comes to it",
                    "restart the master, if the table was added since; else give the URL that it "
                    f"lists: {', '.join(urls) or 'none'}",
                )
            )
    here = [handler for handler in handlers if handler.submit_url in urls]
    there = sorted(here, key=lambda handler: urls.index(handler.submit_url))
    if here != there:
        findings.append(
            pool.error(
                table_of(here[0]),
                f"the running master numbers these tables in another order, {kind} = "
                f"{', '.join(urls)}: miners would send announcements to the wrong handler",
                f"order the tables {', '.join(title(table_of(handler)) for handler in there)}",
            )
        )
    return findings


def _compare_rules(pool: PoolFile, config: MasterConfig) -> Sequence[Finding]:
    """What the running master was started with."""
    if pool.pool is None or pool.master is None:
        return []
    findings = []
    for key, here, there in (
        (("master_url",), pool.pool.master_url, config.master_url),
        (("master", "paymaker_url"), pool.master.paymaker_url, config.paymaker_url),
        (("master", "mine_old_anns"), pool.master.mine_old_anns, config.mine_old_anns),
        (("master", "ann_target"), f"{pool.master.ann_target:#x}", f"{config.ann_target:#x}"),
    ):
        if here != there:
            findings.append(
                pool.error(
                    key,
                    f"{key[-1]} is {here} here, but {there} in the running master",
                    "restart it",
                )
            )
    return findings


def _compare_keys(pool: PoolFile, tip: BlockInfo) -> Sequence[Finding]:
    if pool.pool is None:
        return []
    own = SigningKeys(pool.pool.private_seed).key_of_parent(tip.height)
    if own == tip.signing_key:
        return []
    if tip.signing_key is None:
        rule, remedy = "private_seed is given, but the running master does not sign", "restart it"
    else:
        rule = "the running master signs announcements with another private_seed"
        remedy = "give the master's, or restart it with this one"
    return [pool.error(("private_seed",), rule, remedy)]
