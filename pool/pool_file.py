"""What a whole pool.toml says: every table of it, read as its service would read it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.settings import AnnHandlerSettings, HandlerSettings, PoolSettings
from packetcrypt.handler.settings_document import SettingsDocument, SettingsError
from packetcrypt.handler.settings_file import (
    PKTD_TABLE,
    read_ann_handler,
    read_block_handler,
    read_pktd,
)
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.handler.sprayer_settings_file import SPRAYER_TABLE, read_sprayer
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.pool.devchain_settings import DevchainSettings
from packetcrypt.pool.devchain_settings_file import read_devchain
from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.master_settings_file import read_master
from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.pool.paymaker_settings_file import read_paymaker
from packetcrypt.pool.settings_findings import Finding, Severity

T = TypeVar("T")
H = TypeVar("H", bound=HandlerSettings)


@dataclass(frozen=True)
class HttpService:
    """One service that is asked over HTTP.

    table   : its table, which has `bind` and `private_bind`
    url     : where others find it; None if the file does not say
    url_key : the setting that says so
    """

    table: KeyPath
    bind: str
    private_bind: str
    url: str | None
    url_key: KeyPath


@dataclass(frozen=True, kw_only=True)
class PoolFile:
    """The settings of all services of one document; what a service would refuse is left out.

    handlers : in the order of the file, those of announcements first
    sprayers : by table: those of announcement handlers, and those that are services of their own
    """

    document: SettingsDocument = field(repr=False)
    pool: PoolSettings | None
    pktd: PktdSettings | None
    master: MasterSettings | None
    paymaker: PaymakerSettings | None
    devchain: DevchainSettings | None
    handlers: Sequence[HandlerSettings]
    sprayers: Mapping[KeyPath, SprayerSettings]

    @property
    def http_services(self) -> Sequence[HttpService]:
        """Master, paymaker, handlers and development chain, as far as they are in the file."""
        services = []
        if self.master is not None:
            master = self.master
            url = master.pool.master_url
            services.append(
                HttpService(("master",), master.bind, master.private_bind, url, ("master_url",))
            )
        if self.paymaker is not None:
            paymaker = self.paymaker
            url_key: KeyPath = ("paymaker", "public_url")
            paymaker_url = paymaker.public_url or None
            if self.master is not None:
                url_key, paymaker_url = ("master", "paymaker_url"), self.master.paymaker_url
            services.append(
                HttpService(
                    ("paymaker",), paymaker.bind, paymaker.private_bind, paymaker_url, url_key
                )
            )
        for handler in self.handlers:
            table = table_of(handler)
            services.append(
                HttpService(
                    table,
                    handler.bind,
                    handler.private_bind,
                    handler.public_url,
                    (*table, "public_url"),
                )
            )
        if self.devchain is not None:
            chain = self.devchain
            services.append(
                HttpService(
                    ("devchain",), chain.bind, chain.private_bind, chain.pktd.url, ("pktd", "url")
                )
            )
        return services

    def error(self, key: KeyPath, rule: str, remedy: str) -> Finding:
        """What cannot work, at a setting or table."""
        return Finding(Severity.ERROR, self.document.where(key), rule, remedy)

    def warning(self, key: KeyPath, rule: str, remedy: str) -> Finding:
        """What works only if it is meant."""
        return Finding(Severity.WARNING, self.document.where(key), rule, remedy)


def table_of(handler: HandlerSettings) -> KeyPath:
    """A handler's table."""
    return (handler.TABLE, handler.name)


def title(key: KeyPath) -> str:
    """A table as the file has it, e.g. "[ann_handler.ah0]"."""
    return f"[{'.'.join(key)}]"


def read_pool_file(document: SettingsDocument) -> tuple[PoolFile, Sequence[Finding]]:
    """Reads all tables; the findings say why a service would refuse its own."""
    reader = _Reader(document)
    pktd = reader.read((PKTD_TABLE,), read_pktd)
    master = reader.read(("master",), read_master)
    paymaker = reader.read(("paymaker",), read_paymaker)
    devchain = reader.read(("devchain",), read_devchain)
    ann_handlers = tuple(reader.handlers(AnnHandlerSettings, read_ann_handler))
    handlers = (*ann_handlers, *reader.handlers(BlockHandlerSettings, read_block_handler))
    pools = [service.pool for service in (master, paymaker, *handlers) if service is not None]
    sprayers = {
        (*table_of(handler), SPRAYER_TABLE): handler.sprayer
        for handler in ann_handlers
        if handler.sprayer is not None
    }
    sprayers |= reader.sprayers()
    file = PoolFile(
        document=document,
        pool=pools[0] if pools else None,
        pktd=pktd,
        master=master,
        paymaker=paymaker,
        devchain=devchain,
        handlers=handlers,
        sprayers=sprayers,
    )
    return file, tuple(reader.findings)


class _Reader:
    """Reads tables, and goes on after one that cannot be read. Two may tell the same mistake."""

    def __init__(self, document: SettingsDocument) -> None:
        self._document = document
        self.findings: dict[Finding, None] = {}

    def read(self, table: KeyPath, read: Callable[[SettingsDocument], T]) -> T | None:
        """The settings of a table; None if it is not there, or wrong."""
        if table[0] not in self._document.content:
            return None
        try:
            return read(self._document)
        except SettingsError as error:
            self.findings[Finding(Severity.ERROR, error.where, error.message)] = None
            return None

    def handlers(
        self, kind: type[H], read: Callable[[SettingsDocument, str | None], H]
    ) -> Iterator[H]:
        """All of a kind, in the order of the file."""
        for name in self._names(kind.TABLE):

            def read_one(document: SettingsDocument, name: str | None = name) -> H:
                return read(document, name)

            handler = self.read((kind.TABLE,), read_one)
            if handler is not None:
                yield handler

    def sprayers(self) -> Iterator[tuple[KeyPath, SprayerSettings]]:
        """Those that are services of their own."""
        for name in self._names(SPRAYER_TABLE):

            def read_one(document: SettingsDocument, name: str | None = name) -> SprayerSettings:
                table = document.named_table(SPRAYER_TABLE, "sprayer", name, "")
                return read_sprayer(document, table)

            sprayer = self.read((SPRAYER_TABLE,), read_one)
            if sprayer is not None and name is not None:
                yield (SPRAYER_TABLE, name), sprayer

    def _names(self, table: str) -> Sequence[str | None]:
        """Of the services of a kind; one None if the table has settings instead of names."""
        tables = self._document.content.get(table, {})
        is_named = isinstance(tables, dict) and all(isinstance(t, dict) for t in tables.values())
        return list(tables) if is_named else [None]
