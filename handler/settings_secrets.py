"""Which settings are secrets, and which values of them everybody knows."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from packetcrypt.protocol.errors import ConfigError

EXAMPLES: Final = MappingProxyType(
    {
        "paymaker_http_password": "a long random word",
        "private_seed": "a long random word that never changes",
        "block_miner_passwd": "another long random word",
        "password": "what pktd has as rpcpass",
        "passwd": "what block miners subscribe with",
        "subscribe_passwd": "what the other sprayer has as passwd",
    }
)
"""the settings that are secrets, with what documentation and messages write in their place"""

OF_OTHERS: Final = frozenset({"password", "subscribe_passwd"})
"""secrets that somebody else's service has chosen: of pktd, and of another sprayer"""

# fmt: off
_NOTORIOUS: Final = frozenset(
    {
        "123456", "12345678", "123456789", "1234567890", "abc123", "admin", "administrator", "bar",
        "baz", "change", "changeit", "change-me", "change_me", "changeme", "default", "dummy",
        "example", "foo", "foobar", "guest", "hunter2", "letmein", "mypassword", "none", "null",
        "packetcrypt", "pass", "passwd", "password", "password1", "password123", "paymaker", "pkt",
        "pktd", "pool", "pw", "qwerty", "replace-me", "replace_me", "replaceme", "root", "secret",
        "test", "testing", "todo", "user", "yourpassword",
    }
)
# fmt: on
"""without spaces, in lower case"""

NEW_SECRET: Final = "python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"


def refuse_known_secret(name: str, value: object) -> None:
    """ConfigError, with the remedy, if a setting is a secret that everybody knows.

    An empty one is a decision not to have it, except of the paymaker: whoever may upload pay logs
    decides who is paid.
    """
    if name not in EXAMPLES or not isinstance(value, str):
        return
    # "…" and "***" stand for a secret, too.
    is_example = value in EXAMPLES.values() or (value != "" and not re.search(r"\w", value))
    if name in OF_OTHERS:
        if is_example:
            raise ConfigError(f"{name} is what the documentation has there: give the real one")
        return
    if is_example:
        reason = "is the example of the documentation"
    elif not value and name == "paymaker_http_password":
        reason = "is empty, so that everybody could credit himself"
    elif value and is_notorious(value):
        reason = "is a word that everybody tries first"
    else:
        return
    raise ConfigError(f"{name} {reason}: give one of your own, which this prints: {NEW_SECRET}")


def is_notorious(value: str) -> bool:
    """Whether a secret is among the first that anybody would try."""
    folded = "".join(value.lower().split())
    return folded in _NOTORIOUS or len(set(folded)) == 1


def are_exposed(path: Path, content: Mapping[str, Any]) -> bool:
    """Whether a parsed file has secrets, and every user of this machine may read it."""
    return _has_secrets(content) and bool(path.stat().st_mode & stat.S_IROTH)


def _has_secrets(content: Mapping[str, Any]) -> bool:
    return any(
        _has_secrets(value) if isinstance(value, dict) else name in EXAMPLES and value != ""
        for name, value in content.items()
    )
