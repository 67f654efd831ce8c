"""What is found about services that are missing, or do not fit together."""

import re
from pathlib import Path

import pytest
from paymaker_setup import FEE
from whole_pool_file import GOOD, Change, findings

SPRAYER = '[sprayer.s0]\npasswd = "Gy4xMb2Ds6Kv"\nbind = "0.0.0.0:7777"\n'


def _without(table: str) -> str:
    """The file without a table and those in it."""
    text, count = re.subn(
        rf"(?ms)^\[{re.escape(table)}[].].*?(?=^\[(?!{re.escape(table)})|\Z)", "", GOOD
    )
    assert count
    return text


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("master", "it has no table [master]: nobody tells miners what to mine: add it, unless"),
        ("paymaker", "it has no table [paymaker]: nobody keeps the books: "),
        ("ann_handler", "it has no table [ann_handler.NAME]: nobody takes announcements: "),
        ("block_handler", "it has no table [block_handler.NAME]: nobody takes shares: "),
    ],
)
def test_a_missing_service_is_warned_about(tmp_path: Path, table: str, found: str) -> None:
    (only,) = findings(tmp_path, text=_without(table))
    assert only.startswith(f"warning: pool.toml: {found}")


def test_a_missing_node_is_an_error_told_once(tmp_path: Path) -> None:
    found = findings(tmp_path, text=_without("pktd"))
    assert [line for line in found if line.startswith("error")] == [
        "error: pool.toml: it does not say where pktd is: add a table, e.g. "
        '[pktd] user = "x" password = "what pktd has as rpcpass"'
    ]


def test_a_sprayer_may_stand_alone(tmp_path: Path) -> None:
    assert findings(tmp_path, text=SPRAYER + 'subscribe = ["a.example:6666"]\n') == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            [("[paymaker]\n", f'[paymaker]\npool_fee_address = "{FEE}"\n')],
            "warning: pool.toml:14: pool_fee_address is given, but pool_fee is 0, so that it gets ",
        ),
        (
            [("[paymaker]\n", "[paymaker]\nmax_body = 1_000_000\n"), ("0.1:8084", "0.1:8084")],
            "error: pool.toml:18: paylog_bytes = 1048576 makes pay logs that [paymaker], whose "
            "max_body is 1000000, would refuse for ever: raise max_body, or lower paylog_bytes",
        ),
        (
            [("[pktd]\n", '[pktd]\nurl = "https://127.0.0.1:64765"\ntls_certificate = "none"\n')],
            "error: pool.toml:8: tls_certificate = ",
        ),
        (
            [("[block_handler.bh0]", SPRAYER + "[block_handler.bh0]")],
            "error: pool.toml:28: [sprayer.s0] has nothing to pass on: say whose announcements, ",
        ),
        (
            [
                (
                    "[block_handler.bh0]",
                    SPRAYER + 'subscribe = ["pool.example:6666"]\n[block_handler.bh0]',
                )
            ],
            "error: pool.toml:28: subscribe_passwd is not the passwd of the sprayer at "
            "pool.example:6666: give [sprayer.s0] the passwd of that one",
        ),
        (
            [("[paymaker]\n", '[paymaker]\npool_fee = 0.01\npool_fee_address = "me"\n')],
            "error: pool.toml:15: pool_fee_address = \"me\": 'me' is not a PKT address",
        ),
        (
            [("[ann_handler.ah0.sprayer]\n", "[ann_handler.ah0.sprayer]\ncolour = 1\n")],
            'error: pool.toml:22: "colour" is no setting in [ann_handler.ah0.sprayer]: allowed are',
        ),
        ([("[block_handler.bh0]", "[block_handler]")], "error: pool.toml:28: a service needs a n"),
    ],
)
def test_findings(tmp_path: Path, changes: list[Change], found: str) -> None:
    assert findings(tmp_path, *changes)[0].startswith(found)


def test_a_mistake_of_all_services_is_told_once(tmp_path: Path) -> None:
    found = findings(tmp_path, ("http://pool.example/master", "pool.example"))
    assert [line.split(" is ")[0] for line in found if line.startswith("error")] == [
        'error: pool.toml:1: master_url = "pool.example"'
    ]


def test_mistakes_of_two_services_are_both_told(tmp_path: Path) -> None:
    changes = [("[paymaker]\n", "[paymaker]\nfee = 1\n"), ("[pktd]\n", "[pktd]\nhost = 1\n")]
    found = "\n".join(findings(tmp_path, *changes))
    assert 'pool.toml:7: "host" is no setting in [pktd]' in found
    assert 'pool.toml:15: "fee" is no setting in [paymaker]' in found
