"""Which ports the services of a devnet listen at, so that nobody else takes them meanwhile."""

import socket
from collections.abc import Sequence
from typing import Final, Self

from packetcrypt.protocol.errors import ConfigError

LOOPBACK: Final = "127.0.0.1"
_HIGHEST: Final = 65535


class ReservedPorts:
    """Ports of the loopback interface that are bound, but not listened at, until this is closed.

    A bound port is given to no program that asks for any, and serves no connection. Yet Linux lets
    another socket bind it and listen, if both have SO_REUSEADDR as servers do: the service for
    which it is kept, each time that it is started. So there is no moment between choosing a port
    and listening at it in which it could be lost.
    """

    def __init__(self, count: int, first: int = 0) -> None:
        """`count` ports: free ones, or `first` and those that follow it.

        ConfigError if one of these is in use, or there are not so many.
        """
        if first + count - 1 > _HIGHEST:
            raise ConfigError(
                f"{count} ports from {first} on do not end at {_HIGHEST}: give a lower --port"
            )
        self._sockets: list[socket.socket] = []
        try:
            for offset in range(count):
                self._sockets.append(_bound(first + offset if first else 0))
        except BaseException:
            self.close()
            raise

    @property
    def numbers(self) -> Sequence[int]:
        """In the order in which they were asked for."""
        return [bound.getsockname()[1] for bound in self._sockets]

    def close(self) -> None:
        """Gives them up; a service that listens goes on."""
        for bound in self._sockets:
            bound.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        raise ConfigError(
            f"port {port} of {LOOPBACK} cannot be used ({error.strerror}): give another --port, or "
            "none to have free ones chosen"
        ) from error
    return bound
