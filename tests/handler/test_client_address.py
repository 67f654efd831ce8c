"""Which client's address a service believes: known cases, then whatever a hostile client sends."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.handler.client_address import Client, TrustedProxies, read_address
from packetcrypt.protocol.errors import ConfigError

PROXIES = TrustedProxies(["127.0.0.1", "10.1.0.0/16", "2001:db8:1::/48"])
PROXY = ip_address("10.1.2.3")
STRANGER = ip_address("198.51.100.9")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%eth0]:443", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("192.0.2", None),
        ("192.0.2.1:", None),
        ("192.0.2.1:65536", None),
        ("192.0.2.256", None),
        ("192.0.02.1", None),
        ("[192.0.2.1]", "192.0.2.1"),
        ("2001:db8::1]:443", None),
        ("[2001:db8::1", None),
        ("192.0.2.1 ", None),
        ("192.0.2.1\r\n", None),
        ("１９２.0.2.1", None),
        ('"192.0.2.1"', None),
        ("for=192.0.2.1", None),
    ],
)
def test_an_entry(text: str, address: str | None) -> None:
    read = read_address(text)
    assert (None if read is None else str(read)) == address


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ([], "10.1.2.3"),
        (["192.0.2.1"], "192.0.2.1"),
        (["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        (["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
        (["6.6.6.6, 192.0.2.1, 10.1.9.9"], "192.0.2.1"),
        (["6.6.6.6,192.0.2.1", "127.0.0.1", "10.1.9.9"], "192.0.2.1"),
        (["10.1.5.5, 10.1.9.9"], "10.1.5.5"),
        (["6.6.6.6, garbage, 10.1.9.9"], "10.1.9.9"),
        (["6.6.6.6, garbage"], "10.1.2.3"),
        (["6.6.6.6,"], "10.1.2.3"),
        (["[2001:db8:7::1]:99 ,\t 10.1.9.9:80"], "2001:db8:7::1"),
        (["192.0.2.1, 2001:db8:1::5"], "192.0.2.1"),
        (["192.0.2.1, ::ffff:10.1.0.1"], "192.0.2.1"),
    ],
)
def test_what_trusted_proxies_say(lines: list[str], address: str) -> None:
    assert PROXIES.client(PROXY, lines).address == address


@pytest.mark.parametrize("peer", ["198.51.100.9", "10.2.0.1", "2001:db8:2::1", "::1"])
def test_strangers_are_not_believed(peer: str) -> None:
    client = PROXIES.client(ip_address(peer), ["192.0.2.1"])
    assert client.address == peer


def test_without_proxies_nobody_is_believed() -> None:
    assert TrustedProxies([]).client(PROXY, ["192.0.2.1"]) == Client("10.1.2.3", is_known=True)


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "127.9.9.9", "::1"])
def test_a_proxy_and_this_machine_are_not_one_client(address: str) -> None:
    assert not PROXIES.client(ip_address(address), []).is_known


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:7:8:1:2:3:4", "2001:db8:7:8::/64"),
        ("2001:db8:7:8:ffff::", "2001:db8:7:8::/64"),
    ],
)
def test_what_one_host_has_to_itself(address: str, group: str) -> None:
    assert Client(address, is_known=True).group == group


@pytest.mark.parametrize("text", ["", "proxy.example", "10.1.0.1/16", "10.1.0.0/33", "::/129"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r'^trusted_proxies = ".*is no address or network.*give'):
        TrustedProxies(["10.0.0.1", text])


HOSTILE = st.lists(st.text(max_size=300), max_size=20)


@given(HOSTILE)
def test_a_stranger_can_say_what_it_likes(lines: list[str]) -> None:
    assert PROXIES.client(STRANGER, lines) == Client("198.51.100.9", is_known=True)


@given(HOSTILE)
def test_a_client_behind_a_proxy_can_say_what_it_likes(lines: list[str]) -> None:
    """nginx appends to the client's header, haproxy adds a line of its own."""
    in_line = [*lines[:-1], ", ".join([*lines[-1:], "192.0.2.1"])]
    assert PROXIES.client(PROXY, in_line) == Client("192.0.2.1", is_known=True)
    assert PROXIES.client(PROXY, [*lines, "192.0.2.1"]) == Client("192.0.2.1", is_known=True)


@given(st.text(alphabet="0123456789abcdefABCDEF:.[]%, \t\0é١", max_size=60))
def test_whatever_is_read_is_an_address(text: str) -> None:
    read = read_address(text)
    assert read is None or ip_address(str(read)) == read


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address_is_read_with_and_without_a_port(address: object, port: int) -> None:
    wanted = read_address(str(address))
    assert wanted is not None
    boxed = f"[{address}]" if ":" in str(address) else str(address)
    assert read_address(f"{boxed}:{port}") == wanted


def test_very_many_entries_are_not_looked_at() -> None:
    client = PROXIES.client(PROXY, ["6.6.6.6," + "10.1.1.1," * 100_000 + "10.1.1.1"])
    assert client == Client("10.1.1.1", is_known=False)
