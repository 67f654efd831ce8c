"""What a setting says about where a service listens."""

import re
from typing import Final

from packetcrypt.protocol.errors import ConfigError

_DECIMAL: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_EVERYWHERE: Final = ("0.0.0.0", "::")


def listen_address(bind: str, setting: str = "bind") -> tuple[str, int]:
    """Host and port of a setting like `bind`; port 0 lets the system choose."""
    host, _, port = bind.rpartition(":")
    if not host or not _DECIMAL.fullmatch(port) or int(port) > 65535:
        raise ConfigError(
            f'{setting} = "{bind}" is no address to listen at: give "address:port", '
            'e.g. "0.0.0.0:8081" or "[::]:8081"'
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def check_private_bind(bind: str, private_bind: str) -> None:
    """Refuses a `private_bind` where `bind` listens already; "" is none."""
    if not private_bind:
        return
    host, port = listen_address(bind)
    private_host, private_port = listen_address(private_bind, "private_bind")
    overlap = host == private_host or {host, private_host} & set(_EVERYWHERE)
    if port == private_port != 0 and overlap:
        raise ConfigError(
            f'private_bind = "{private_bind}" is where bind = "{bind}" listens already: give it '
            "another port, so that what is private is not answered there"
        )
