"""How names of hosts are looked up, so that a dead name server slows nobody else."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from packetcrypt.client.daemon_thread import run_in_daemon_thread


class DaemonResolver(AbstractResolver):
    """The system's resolver, a thread a lookup.

    aiohttp's own shares a few threads between all hosts, and joins them at the end: a look-up that
    gets no answer takes half a minute. Connectors ask for one host once at a time, so that there
    are never more threads than hosts.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host; raises `OSError` if it has none."""
        found = await run_in_daemon_thread(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""
