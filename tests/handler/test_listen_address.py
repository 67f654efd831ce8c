"""What settings may say about where a service listens."""

import pytest

from packetcrypt.handler.listen_address import check_private_bind, listen_address
from packetcrypt.protocol.errors import ConfigError


@pytest.mark.parametrize(
    ("bind", "address"),
    [
        ("127.0.0.1:8081", ("127.0.0.1", 8081)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_an_address(bind: str, address: tuple[str, int]) -> None:
    assert listen_address(bind) == address


@pytest.mark.parametrize("bind", ["", "8081", ":8081", "127.0.0.1", "127.0.0.1:", "h:65536", "h:x"])
def test_no_address_is_refused_with_the_name_of_its_setting(bind: str) -> None:
    with pytest.raises(ConfigError, match=r'private_bind = ".*" is no address .* e.g. "0.0.0.0'):
        listen_address(bind, "private_bind")


@pytest.mark.parametrize(
    "private_bind", ["", "127.0.0.1:9091", "10.0.0.1:8081", "127.0.0.1:0", "[::1]:8081"]
)
def test_a_private_address_of_its_own(private_bind: str) -> None:
    check_private_bind("127.0.0.1:8081", private_bind)


@pytest.mark.parametrize(
    ("bind", "private_bind"),
    [
        ("127.0.0.1:8081", "127.0.0.1:8081"),
        ("0.0.0.0:8081", "10.0.0.1:8081"),
        ("10.0.0.1:8081", "0.0.0.0:8081"),
        ("[::]:8081", "10.0.0.1:8081"),
    ],
)
def test_a_private_address_where_everybody_asks_is_refused(bind: str, private_bind: str) -> None:
    with pytest.raises(ConfigError, match=r"private_bind = .* listens already: give it another"):
        check_private_bind(bind, private_bind)


def test_two_free_ports_are_two_addresses() -> None:
    check_private_bind("127.0.0.1:0", "127.0.0.1:0")
