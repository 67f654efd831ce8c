"""Whether the services of a pool's settings can listen where they are told to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from packetcrypt.client.subscription_settings import SubscriptionSettings
from packetcrypt.client.udp import Endpoint
from packetcrypt.handler.listen_address import listen_address
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.pool.pool_file import PoolFile, title
from packetcrypt.pool.settings_findings import Finding
from packetcrypt.pool.url_reach import Place, Reach, reach_of

_ALL_ADDRESSES: Final = ("0.0.0.0", "::")
_PRIVATE: Final = ("private_bind", "metrics_bind")


@dataclass(frozen=True)
class Listener:
    """One setting that says where a service listens.

    key     : of the setting
    ports   : those that it takes; port 0 leaves the choice to the system and is none
    machine : the host by which others know the service; None if the file does not say
    """

    key: KeyPath
    text: str
    is_udp: bool
    host: str
    ports: range
    machine: str | None

    def collides_with(self, other: "Listener") -> bool:
        """Whether both cannot listen on one machine."""
        return (
            self.is_udp == other.is_udp
            and (self.host == other.host or bool({self.host, other.host} & {*_ALL_ADDRESSES}))
            and bool(set(self.ports) & set(other.ports))
        )

    @property
    def shown(self) -> str:
        """The assignment."""
        return f'{self.key[-1]} = "{self.text}"'


def check_binds(pool: PoolFile) -> Iterator[Finding]:
    """All findings about addresses to listen at."""
    listeners = [*_http_listeners(pool), *_sprayer_listeners(pool)]
    taken = {port for listener in listeners for port in listener.ports}
    for first, second in combinations(listeners, 2):
        if not first.collides_with(second):
            continue
        free = next(port for port in range(second.ports[0] + 1, 65536) if port not in taken)
        address = Endpoint(second.host, free)
        rule = f"{second.shown} is where {title(first.key[:-1])} listens already"
        remedy = f'give {title(second.key[:-1])} {second.key[-1]} = "{address}"'
        if first.machine is not None and first.machine == second.machine:
            yield pool.error(second.key, rule, remedy)
        else:
            # One file may be that of several machines: they are told apart by what they are called.
            yield pool.warning(second.key, rule, f"{remedy}, unless they run on two machines")
    for listener in listeners:
        if listener.key[-1] in _PRIVATE and _is_public(listener.host):
            port = listener.ports[0] if listener.ports else 0
            yield pool.warning(
                listener.key,
                f"{listener.shown} can be reached by strangers, and what it answers is private",
                f'give {listener.key[-1]} = "127.0.0.1:{port}", or '
                "an address of an internal network",
            )


def _is_public(host: str) -> bool:
    return host in _ALL_ADDRESSES or reach_of(host) is Reach.WORLD


def _http_listeners(pool: PoolFile) -> Iterator[Listener]:
    for service in pool.http_services:
        machine = Place.of(service.url).host if service.url else None
        for name, text in (("bind", service.bind), ("private_bind", service.private_bind)):
            if text:
                host, port = listen_address(text, name)
                ports = _ports(port, 1)
                yield Listener((*service.table, name), text, False, _named(host), ports, machine)


def _sprayer_listeners(pool: PoolFile) -> Iterator[Listener]:
    machines = {
        service.table: Place.of(service.url).host for service in pool.http_services if service.url
    }
    for table, sprayer in pool.sprayers.items():
        machine = machines.get(table[:-1])
        bind = sprayer.bind_endpoint
        yield Listener(
            (*table, "bind"), sprayer.bind, True, _named(bind.host), _ports(bind.port, 1), machine
        )
        if sprayer.metrics_bind:
            text = sprayer.metrics_bind
            host, port = listen_address(text, "metrics_bind")
            ports = _ports(port, 1)
            yield Listener((*table, "metrics_bind"), text, False, _named(host), ports, machine)
        if sprayer.subscription is not None:
            bind = sprayer.subscription.bind
            yield Listener(
                (*table, "subscribe_bind"),
                sprayer.subscribe_bind,
                True,
                _named(bind.host),
                _ports(bind.port, SubscriptionSettings.shares),
                machine,
            )


def _ports(first: int, count: int) -> range:
    return range(first, first + count) if first else range(0)


def _named(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host
