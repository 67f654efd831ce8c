"""What is found about URLs that do not fit together."""

from pathlib import Path

import pytest
from whole_pool_file import Change, changed, findings

# The same pool without a reverse proxy, on loopback.
LOOPBACK = changed(
    ("http://pool.example/master", "http://127.0.0.1:8080"),
    ("http://pool.example/paymaker", "http://127.0.0.1:8082"),
    ("http://pool.example/ah0", "http://127.0.0.1:8081"),
    ("http://pool.example/ah1", "http://localhost:8084"),
    ("http://pool.example/bh0", "http://127.0.0.1:8083"),
)


def test_nothing_is_found_behind_a_proxy(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


def test_nothing_is_found_on_loopback(tmp_path: Path) -> None:
    assert findings(tmp_path, text=LOOPBACK) == []


def test_nothing_is_found_behind_a_proxy_on_loopback(tmp_path: Path) -> None:
    assert findings(tmp_path, ("http://pool.example", "http://127.0.0.1:8000")) == []


def test_nothing_is_found_where_the_system_chooses_ports(tmp_path: Path) -> None:
    change = ('"http://127.0.0.1:8083"', '"http://127.0.0.1:9999"\nbind = "127.0.0.1:0"')
    assert findings(tmp_path, change, text=LOOPBACK) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            [("http://pool.example/ah1", "http://pool.example/ah0/")],
            'error: pool.toml:25: public_url = "http://pool.example/ah0/" is also that of '
            '[ann_handler.ah0]: give [ann_handler.ah1] one of its own, e.g. "http://pool.example/ah1"',
        ),
        (
            [("http://pool.example/paymaker", "http://pool.example/master")],
            'error: pool.toml:11: paymaker_url = "http://pool.example/master" is also that of '
            '[master]: give [paymaker] one of its own, e.g. "http://pool.example/paymaker"',
        ),
        (
            [("pool.example/paymaker", "pool.example/paymaker/events/")],
            'error: pool.toml:11: paymaker_url = "http://pool.example/paymaker/events/" ends in '
            "/events, which would then be asked for twice: "
            'give paymaker_url = "http://pool.example/paymaker"',
        ),
        (
            [("pool.example/master", "pool.example/config.json")],
            'error: pool.toml:1: master_url = "http://pool.example/config.json" ends in '
            '/config.json, which would then be asked for twice: give master_url = "http://pool.ex',
        ),
        (
            [("pool.example/ah0", "me:hush@pool.example/ah0")],
            'error: pool.toml:18: public_url = "http://pool.example/ah0" has a user or a password, '
            "which config.json shows to everybody: ",
        ),
        (
            [("pool.example/paymaker", "pool.example/paymaker?a=b")],
            'error: pool.toml:11: paymaker_url = "http://pool.example/paymaker?a=b" has more than',
        ),
        (
            [("http://pool.example/master", "http://127.0.0.1/master")],
            'error: pool.toml:1: master_url = "http://127.0.0.1/master" can be reached from its '
            "own machine only, and miners are told it together with http://pool.example/ah0: "
            "give a URL that can be reached from everywhere",
        ),
        (
            [("http://pool.example/bh0", "http://10.0.0.7/bh0")],
            'error: pool.toml:29: public_url = "http://10.0.0.7/bh0" can be reached from its own '
            "network only, ",
        ),
        (
            [("http://pool.example/ah1", "http://0.0.0.0:8084")],
            'error: pool.toml:25: public_url = "http://0.0.0.0:8084" is no address that anybody '
            "can ask: ",
        ),
        (
            [("[paymaker]\n", '[paymaker]\npublic_url = "http://pool.example/pay"\n')],
            'error: pool.toml:14: public_url = "http://pool.example/pay" is not what the master '
            'tells handlers, paymaker_url = "http://pool.example/paymaker" in [master]: '
            'give public_url = "http://pool.example/paymaker"',
        ),
        (
            [("http://pool.example/ah1", "http://pool.example:8084/ah1")],
            'warning: pool.toml:26: bind = "127.0.0.1:8084" can be reached from this machine only, '
            'but public_url = "http://pool.example:8084/ah1" is asked for from others: '
            'give bind = "0.0.0.0:8084", unless a reverse proxy has that port there',
        ),
    ],
)
def test_behind_a_proxy(tmp_path: Path, changes: list[Change], found: str) -> None:
    (only,) = findings(tmp_path, *changes)
    assert only.startswith(found)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            [("http://127.0.0.1:8081", "http://127.0.0.1:9999")],
            'error: pool.toml:18: public_url = "http://127.0.0.1:9999" leads to port 9999 of this '
            "machine, but [ann_handler.ah0] listens at 127.0.0.1:8081: "
            'give public_url = "http://127.0.0.1:8081", or another bind',
        ),
        (
            [("http://127.0.0.1:8081", "http://127.0.0.1:8082/x")],
            'error: pool.toml:18: public_url = "http://127.0.0.1:8082/x" leads to [paymaker], '
            'which listens at 127.0.0.1:8082: give public_url = "http://127.0.0.1:8081/x", where',
        ),
        (
            [("http://127.0.0.1:8081", "http://127.0.0.1:8083")],
            'error: pool.toml:18: public_url = "http://127.0.0.1:8083" leads to [block_handler',
        ),
        (
            [("127.0.0.1:8084", "10.0.0.7:8084")],
            'error: pool.toml:25: public_url = "http://localhost:8084" leads to loopback, but '
            "[ann_handler.ah1] listens at 10.0.0.7:8084: "
            'give public_url = "http://10.0.0.7:8084"',
        ),
        (
            [("http://127.0.0.1:8082", "http://127.0.0.1:8082/paymaker")],
            'error: pool.toml:11: paymaker_url = "http://127.0.0.1:8082/paymaker" leads to where '
            "[paymaker] listens, which does not know the path /paymaker: "
            'give [paymaker] public_url = "http://127.0.0.1:8082/paymaker"',
        ),
        (
            [("[paymaker]\n", '[paymaker]\nprivate_bind = "127.0.0.1:9082"\n')],
            'error: pool.toml:11: paymaker_url = "http://127.0.0.1:8082" leads to bind, but '
            '[paymaker] takes pay logs only at private_bind = "127.0.0.1:9082": '
            'give paymaker_url = "http://127.0.0.1:9082"',
        ),
    ],
)
def test_on_loopback(tmp_path: Path, changes: list[Change], found: str) -> None:
    assert findings(tmp_path, *changes, text=LOOPBACK)[0].startswith(found)


def test_pay_logs_may_come_to_the_private_address(tmp_path: Path) -> None:
    changes = (
        ("[paymaker]\n", '[paymaker]\nprivate_bind = "127.0.0.1:9082"\n'),
        ("http://127.0.0.1:8082", "http://127.0.0.1:9082"),
    )
    assert findings(tmp_path, *changes, text=LOOPBACK) == []


def test_passwords_in_urls_are_not_shown(tmp_path: Path) -> None:
    found = findings(tmp_path, ("pool.example/ah0", "me:hush@pool.example/ah0"))
    assert "hush" not in "".join(found)


def test_a_development_chain_is_where_the_pool_asks_its_node(tmp_path: Path) -> None:
    assert findings(tmp_path, ("[pktd]\n", "[devchain]\n[pktd]\n")) == []
    chain = '[devchain]\nbind = "127.0.0.1:7000"\n[pktd]\n'
    (only,) = findings(tmp_path, ("[pktd]\n", chain))
    assert only == (
        'error: pool.toml:8: url = "http://127.0.0.1:64765" leads to port 64765 of this machine, '
        'but [devchain] listens at 127.0.0.1:7000: give url = "http://127.0.0.1:7000", or another '
        "bind"
    )
