"""Whether a pool's settings are possible, and agree with each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packetcrypt.handler.settings_document import SettingsDocument
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.pool.pool_file import PoolFile, read_pool_file
from packetcrypt.pool.settings_check_binds import check_binds
from packetcrypt.pool.settings_check_running import check_master, check_node
from packetcrypt.pool.settings_check_secrets import check_secrets
from packetcrypt.pool.settings_check_services import check_services
from packetcrypt.pool.settings_check_urls import check_urls
from packetcrypt.pool.settings_findings import Finding, Severity


@dataclass(frozen=True)
class FoundService:
    """A service that the file makes possible.

    table : e.g. "ann_handler.ah0"
    url   : where others find it; None if the file does not say
    """

    table: str
    bind: str
    private_bind: str
    url: str | None


@dataclass(frozen=True)
class SettingsReport:
    """What a check says: the services of a file, and what is to be looked at."""

    services: Sequence[FoundService]
    findings: Sequence[Finding]

    @property
    def is_good(self) -> bool:
        """Whether the pool can work so: warnings are no errors."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


async def check_settings(
    path: Path,
    overrides: Sequence[Override] = (),
    *,
    asks_master: bool = False,
    asks_node: bool = False,
) -> SettingsReport:
    """Reads all tables of a file as their services would, and compares them.

    asks_master, asks_node : compare with what is running, too

    ConfigError if the file cannot be read at all.
    """
    file, findings = read_pool_file(SettingsDocument(path, overrides))
    found = [
        *findings,
        *check_services(file),
        *check_binds(file),
        *check_urls(file),
        *check_secrets(file),
    ]
    if asks_master:
        found += await check_master(file)
    if asks_node:
        found += await check_node(file)
    return SettingsReport(tuple(_services(file)), tuple(found))


def _services(file: PoolFile) -> Sequence[FoundService]:
    http = [
        FoundService(_dotted(service.table), service.bind, service.private_bind, service.url)
        for service in file.http_services
    ]
    sprayers = [
        FoundService(_dotted(table), sprayer.bind, sprayer.metrics_bind, None)
        for table, sprayer in file.sprayers.items()
    ]
    return [*http, *sprayers]


def _dotted(table: KeyPath) -> str:
    return ".".join(table)
