"""Whether the URLs of a pool's settings agree with each other, and with where services listen."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from yarl import URL

from packetcrypt.handler.listen_address import listen_address
from packetcrypt.handler.toml_lines import KeyPath
from packetcrypt.pool.pool_file import HttpService, PoolFile, table_of, title
from packetcrypt.pool.settings_findings import Finding
from packetcrypt.pool.url_reach import Place, Reach, reach_of

_NOT_IN_URLS: Final = {
    ("master_url",): "/config.json",
    ("master", "paymaker_url"): "/events",
    ("paymaker", "public_url"): "/events",
}
"""what those who are given a URL put behind it themselves; of handlers, their settings refuse it"""


def check_urls(pool: PoolFile) -> Iterator[Finding]:
    """All findings about URLs."""
    for key, url in _urls(pool).items():
        yield from _check_text(pool, key, url)
    yield from _check_one_each(pool)
    yield from _check_reach(pool)
    for service in pool.http_services:
        yield from _check_way(pool, service)
    yield from _check_paymaker(pool)


def _urls(pool: PoolFile) -> dict[KeyPath, str]:
    """All of the file, by setting."""
    urls = {service.url_key: service.url for service in pool.http_services if service.url}
    if pool.pool is not None:
        urls[("master_url",)] = pool.pool.master_url
    if pool.paymaker is not None and pool.paymaker.public_url:
        urls[("paymaker", "public_url")] = pool.paymaker.public_url
    if pool.master is not None:
        urls[("master", "paymaker_url")] = pool.master.paymaker_url
    return urls


def _check_text(pool: PoolFile, key: KeyPath, url: str) -> Iterator[Finding]:
    parsed = URL(url)
    shown = f'{key[-1]} = "{parsed.with_user(None)}"'
    if parsed.user or parsed.password:
        yield pool.error(
            key,
            f"{shown} has a user or a password, which config.json shows to everybody",
            f'give {key[-1]} = "{parsed.with_user(None)}"',
        )
    if parsed.query_string or parsed.fragment:
        better = parsed.with_query(None).with_fragment(None)
        yield pool.error(key, f"{shown} has more than a path", f'give {key[-1]} = "{better}"')
    ending = _NOT_IN_URLS.get(key)
    if ending is not None and parsed.path.rstrip("/").endswith(ending):
        yield pool.error(
            key,
            f"{shown} ends in {ending}, which would then be asked for twice",
            f'give {key[-1]} = "{url.rstrip("/").removesuffix(ending)}"',
        )


def _check_one_each(pool: PoolFile) -> Iterator[Finding]:
    located = [(service, Place.of(service.url)) for service in pool.http_services if service.url]
    for (first, place), (second, other) in combinations(located, 2):
        if place != other:
            continue
        if place.reach is Reach.MACHINE and place.port in _ports(first) | _ports(second):
            continue  # one of them is there: where the other one should be, `_check_way` says
        own = URL(second.url or "").with_path("/" + second.table[-1])
        if place.reach is Reach.MACHINE:
            own = URL(second.url or "").with_port(listen_address(second.bind)[1])
        yield pool.error(
            second.url_key,
            f'{second.url_key[-1]} = "{second.url}" is also that of {title(first.table)}',
            f'give {title(second.table)} one of its own, e.g. "{own}"',
        )


def _check_reach(pool: PoolFile) -> Iterator[Finding]:
    """Of what miners are told, all must be for them, or nothing."""
    told: dict[KeyPath, str] = {
        (*table_of(handler), "public_url"): handler.public_url for handler in pool.handlers
    }
    if pool.pool is not None:
        told[("master_url",)] = pool.pool.master_url
    reaches = {key: Place.of(url).reach for key, url in told.items()}
    farthest = max(reaches.values(), default=Reach.NOWHERE)
    example = next((told[key] for key, reach in reaches.items() if reach is farthest), "")
    for key, reach in reaches.items():
        if reach is Reach.NOWHERE:
            yield pool.error(
                key,
                f'{key[-1]} = "{told[key]}" is no address that anybody can ask',
                "give the name or the address of the machine",
            )
        elif reach < farthest:
            yield pool.error(
                key,
                f'{key[-1]} = "{told[key]}" can be reached {reach.phrase}, and miners are told it '
                f"together with {example}",
                f"give a URL that can be reached {farthest.phrase}",
            )


def _check_way(pool: PoolFile, service: HttpService) -> Iterator[Finding]:
    """From a URL to where the service listens, if there is no reverse proxy on the way."""
    if service.url is None:
        return
    place = Place.of(service.url)
    key, shown = service.url_key, f'{service.url_key[-1]} = "{service.url}"'
    ports = _ports(service)
    others = [other for other in pool.http_services if other.table != service.table]
    found = [other for other in others if listen_address(other.bind)[1] == place.port]
    if place.port not in ports and 0 not in ports and not place.is_behind_proxy:
        meant = URL(service.url).with_port(listen_address(service.bind)[1])
        is_direct = place.reach is Reach.MACHINE
        if found and is_direct:
            yield pool.error(
                key,
                f"{shown} leads to {title(found[0].table)}, which listens at {found[0].bind}",
                f'give {key[-1]} = "{meant}", where {title(service.table)} listens',
            )
        elif is_direct and not any(_has_same_host(place, other) for other in others):
            yield pool.error(
                key,
                f"{shown} leads to port {place.port} of this machine, but {title(service.table)} "
                f"listens at {service.bind}",
                f'give {key[-1]} = "{meant}", or another bind',
            )
    host = listen_address(service.bind)[0]
    if place.port in ports and place.port == listen_address(service.bind)[1]:
        if place.reach > Reach.MACHINE and reach_of(host) is Reach.MACHINE:
            yield pool.warning(
                (*service.table, "bind"),
                f'bind = "{service.bind}" can be reached from this machine only, but {shown} is '
                "asked for from others",
                f'give bind = "0.0.0.0:{place.port}", unless a reverse proxy has that port there',
            )
        if place.reach is Reach.MACHINE and reach_of(host) > Reach.MACHINE:
            yield pool.error(
                key,
                f"{shown} leads to loopback, but {title(service.table)} listens at {service.bind}",
                f'give {key[-1]} = "{URL(service.url).with_host(host)}"',
            )


def _ports(service: HttpService) -> set[int]:
    return {listen_address(bind)[1] for bind in (service.bind, service.private_bind) if bind}


def _has_same_host(place: Place, other: HttpService) -> bool:
    """Whether a reverse proxy seems to be at a place: more than one service is found there."""
    if other.url is None:
        return False
    there = Place.of(other.url)
    return (there.host, there.port) == (place.host, place.port)


def _check_paymaker(pool: PoolFile) -> Iterator[Finding]:
    if pool.paymaker is None or pool.master is None:
        return
    told, own = pool.master.paymaker_url, pool.paymaker.public_url
    place = Place.of(told)
    if own and Place.of(own) != place:
        yield pool.error(
            ("paymaker", "public_url"),
            f'public_url = "{own}" is not what the master tells handlers, '
            f'paymaker_url = "{told}" in [master]',
            f'give public_url = "{told}"',
        )
    port = listen_address(pool.paymaker.bind)[1]
    if not own and place.path and place.port == port != 0:
        yield pool.error(
            ("master", "paymaker_url"),
            f'paymaker_url = "{told}" leads to where [paymaker] listens, which does not know the '
            f"path {place.path}",
            f'give [paymaker] public_url = "{told}"',
        )
    if pool.paymaker.private_bind and place.port == port != 0:
        private_port = listen_address(pool.paymaker.private_bind)[1]
        yield pool.error(
            ("master", "paymaker_url"),
            f'paymaker_url = "{told}" leads to bind, but [paymaker] takes pay logs only at '
            f'private_bind = "{pool.paymaker.private_bind}"',
            f'give paymaker_url = "{URL(told).with_port(private_port)}"',
        )
