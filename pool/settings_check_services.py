"""Whether the services of a pool's settings fit together, apart from URLs, binds and passwords."""

from collections.abc import Iterator
from typing import Final

from packetcrypt.client.json_rpc import tls_context
from packetcrypt.client.udp import Endpoint
from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.pool.pool_file import PoolFile, table_of, title
from packetcrypt.pool.settings_findings import Finding
from packetcrypt.pool.url_reach import Place

_LONGEST_EVENT: Final = 1 << 10
"""bytes of a pay log's line: one is written when a file is almost as long as it may be"""

_WITHOUT: Final = {
    "master": "nobody tells miners what to mine",
    "paymaker": "nobody keeps the books",
    "ann_handler": "nobody takes announcements",
    "block_handler": "nobody takes shares",
}


def check_services(pool: PoolFile) -> Iterator[Finding]:
    """All findings about what is missing, and about numbers and words that belong together."""
    yield from _check_presence(pool)
    yield from _check_node(pool)
    yield from _check_paymaker(pool)
    for table, sprayer in pool.sprayers.items():
        yield from _check_sprayer(pool, table, sprayer)


def _check_presence(pool: PoolFile) -> Iterator[Finding]:
    content = pool.document.content
    if not any(content.get(table) for table in _WITHOUT):
        return  # a sprayer may stand where the pool's other services do not
    for table, consequence in _WITHOUT.items():
        if not content.get(table):
            name = ".NAME" if table.endswith("_handler") else ""
            yield pool.warning(
                (),
                f"it has no table [{table}{name}]: {consequence}",
                "add it, unless another file has it",
            )


def _check_node(pool: PoolFile) -> Iterator[Finding]:
    if pool.pktd is None or pool.pktd.tls_certificate is None:
        return
    certificate = pool.pktd.tls_certificate
    try:
        tls_context(str(certificate), is_verified=pool.pktd.tls_verify)
    except OSError as error:
        yield pool.error(
            ("pktd", "tls_certificate"),
            f'tls_certificate = "{certificate}" cannot be used ({error.strerror or error})',
            "give the path of a certificate in PEM form, e.g. pktd's rpc.cert",
        )


def _check_paymaker(pool: PoolFile) -> Iterator[Finding]:
    if pool.paymaker is None:
        return
    if pool.paymaker.pool_fee_address and not pool.paymaker.pool_fee:
        yield pool.warning(
            ("paymaker", "pool_fee_address"),
            "pool_fee_address is given, but pool_fee is 0, so that it gets nothing",
            "give pool_fee = 0.01 for one hundredth, or no address",
        )
    limit = pool.paymaker.max_body - _LONGEST_EVENT
    for handler in pool.handlers:
        if handler.paylog_bytes > limit:
            yield pool.error(
                (*table_of(handler), "paylog_bytes"),
                f"paylog_bytes = {handler.paylog_bytes} makes pay logs that [paymaker], whose "
                f"max_body is {pool.paymaker.max_body}, would refuse for ever",
                "raise max_body, or lower paylog_bytes",
            )


def _check_sprayer(pool: PoolFile, table: KeyPath, sprayer: SprayerSettings) -> Iterator[Finding]:
    is_service = len(table) == 2
    if is_service and sprayer.subscription is None:
        yield pool.error(
            table,
            f"{title(table)} has nothing to pass on",
            'say whose announcements, e.g. subscribe = ["ah0.pool.example:6666"]',
        )
    passwords = _passwords_of_sprayers(pool)
    for text in sprayer.subscribe:
        source = Endpoint.parse(text)
        wanted = passwords.get((source.host.lower(), source.port))
        if wanted is not None and wanted not in ("", sprayer.subscribe_passwd):
            yield pool.error(
                (*table, "subscribe_passwd"),
                f"subscribe_passwd is not the passwd of the sprayer at {text}",
                f"give {title(table)} the passwd of that one",
            )


def _passwords_of_sprayers(pool: PoolFile) -> dict[tuple[str, int], str]:
    """By where they are found, as far as the file says."""
    found = {}
    for handler in pool.handlers:
        if isinstance(handler, AnnHandlerSettings) and handler.sprayer is not None:
            port = handler.sprayer.bind_endpoint.port
            found[(Place.of(handler.public_url).host, port)] = handler.sprayer.passwd
    for sprayer in pool.sprayers.values():
        bind = sprayer.bind_endpoint
        found[(bind.host, bind.port)] = sprayer.passwd
    return found
