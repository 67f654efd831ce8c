"""Whether the passwords of a pool's settings keep out whom they should."""

import itertools
from collections.abc import Iterator
from typing import Final

from packetcrypt.handler.settings import AnnHandlerSettings
from packetcrypt.handler.settings_document import EXPOSED
from packetcrypt.handler.settings_secrets import NEW_SECRET, is_notorious
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.pool.pool_file import PoolFile
from packetcrypt.pool.settings_findings import Finding, Severity
from packetcrypt.pool.url_reach import Place, Reach

_SHORT: Final = 12
"""characters; shorter ones can be tried"""
_FOR_MINERS: Final = ("block_miner_passwd", "passwd", "subscribe_passwd")
"""secrets that block miners know, and that may be one"""


def check_secrets(pool: PoolFile) -> Iterator[Finding]:
    """All findings about passwords, and whom the node's may be seen by."""
    if pool.document.is_exposed:
        path = pool.document.path
        yield Finding(Severity.WARNING, str(path), f"it {EXPOSED}", f"chmod o-rwx {path}")
    secrets = dict(_secrets(pool))
    for key, secret in secrets.items():
        if key != ("pktd", "password") and len(secret) < _SHORT:
            yield pool.warning(
                key, f"{key[-1]} has only {len(secret)} characters", f"make one with {NEW_SECRET}"
            )
    for (first, one), (second, other) in itertools.combinations(secrets.items(), 2):
        if one == other and not {first[-1], second[-1]} <= {*_FOR_MINERS}:
            yield pool.error(
                second,
                f"{second[-1]} is the same as {'.'.join(first)}: who knows one knows both",
                f"make another with {NEW_SECRET}",
            )
    yield from _check_node(pool)


def _secrets(pool: PoolFile) -> Iterator[tuple[KeyPath, str]]:
    """All that are set."""
    found: list[tuple[KeyPath, str]] = []
    if pool.pool is not None:
        found.append((("paymaker_http_password",), pool.pool.paymaker_http_password))
        found.append((("private_seed",), pool.pool.private_seed))
    if pool.pktd is not None:
        found.append((("pktd", "password"), pool.pktd.password))
    for handler in pool.handlers:
        if isinstance(handler, AnnHandlerSettings):
            key = (handler.TABLE, handler.name, "block_miner_passwd")
            found.append((key, handler.block_miner_passwd))
    for table, sprayer in pool.sprayers.items():
        found.append(((*table, "passwd"), sprayer.passwd))
    return ((key, secret) for key, secret in found if secret)


def _check_node(pool: PoolFile) -> Iterator[Finding]:
    if pool.pktd is None:
        return
    place = Place.of(pool.pktd.url)
    if is_notorious(pool.pktd.password):
        yield pool.warning(
            ("pktd", "password"),
            "password is a word that everybody tries first, and who knows it decides whom the "
            "node's blocks pay",
            f"give pktd another rpcpass, made with {NEW_SECRET}",
        )
    if place.reach is Reach.MACHINE:
        return
    if pool.pktd.url.lower().startswith("http:"):
        yield pool.warning(
            ("pktd", "url"),
            f'url = "{pool.pktd.url}" sends the password over the network in the clear',
            "give https://, with pktd's rpc.cert as tls_certificate",
        )
    elif not pool.pktd.tls_verify:
        yield pool.warning(
            ("pktd", "tls_verify"),
            "tls_verify = false lets whoever is on the way read the password",
            "give pktd's rpc.cert as tls_certificate",
        )
