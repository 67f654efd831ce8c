"""What is found about services that cannot listen where they are told to."""

from pathlib import Path

import pytest
from whole_pool_file import Change, findings

AH0 = '[ann_handler.ah0]\npublic_url = "http://pool.example/ah0"\n'
SPRAYER = '[sprayer.s0]\npasswd = "Gy4xMb2Ds6Kv"\nsubscribe = ["a.example:6666"]\n'


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            [('bind = "127.0.0.1:8084"\n', "")],
            'error: pool.toml:24: bind = "127.0.0.1:8081" is where [ann_handler.ah0] listens '
            'already: give [ann_handler.ah1] bind = "127.0.0.1:8084"',
        ),
        (
            [("127.0.0.1:8084", "0.0.0.0:8080")],
            'error: pool.toml:26: bind = "0.0.0.0:8080" is where [master] listens already: ',
        ),
        (
            [("127.0.0.1:8084", "localhost:8082")],
            'error: pool.toml:26: bind = "localhost:8082" is where [paymaker] listens already: ',
        ),
        (
            [(AH0, AH0 + 'private_bind = "127.0.0.1:8084"\n')],
            'error: pool.toml:27: bind = "127.0.0.1:8084" is where [ann_handler.ah0] listens alr',
        ),
        (
            [('bind = "127.0.0.1:8084"\n', ""), ("pool.example/ah1", "other.example/ah1")],
            'warning: pool.toml:24: bind = "127.0.0.1:8081" is where [ann_handler.ah0] listens '
            'already: give [ann_handler.ah1] bind = "127.0.0.1:8084", unless they run on two mac',
        ),
        (
            [("[block_handler.bh0]", SPRAYER + "[block_handler.bh0]")],
            'warning: pool.toml:28: bind = "0.0.0.0:6666" is where [ann_handler.ah0.sprayer] '
            'listens already: give [sprayer.s0] bind = "0.0.0.0:6667", unless they run on two',
        ),
        (
            [
                (
                    "[block_handler.bh0]",
                    SPRAYER + 'bind = "0.0.0.0:7003"\nsubscribe_bind = '
                    '"0.0.0.0:7000"\n[block_handler.bh0]',
                )
            ],
            'warning: pool.toml:32: subscribe_bind = "0.0.0.0:7000" is where [sprayer.s0] listens '
            'already: give [sprayer.s0] subscribe_bind = "0.0.0.0:7004"',
        ),
        (
            [("[master]\n", '[master]\nprivate_bind = "0.0.0.0:9080"\n')],
            'warning: pool.toml:11: private_bind = "0.0.0.0:9080" can be reached by strangers, and '
            'what it answers is private: give private_bind = "127.0.0.1:9080", or an address of an',
        ),
        (
            [("[master]\n", '[master]\nprivate_bind = "8.8.8.8:9080"\n')],
            'warning: pool.toml:11: private_bind = "8.8.8.8:9080" can be reached by strangers',
        ),
        (
            [
                (
                    "[block_handler.bh0]",
                    SPRAYER + 'bind = "0.0.0.0:7777"\nmetrics_bind = "127.0.0.1:8082"\n'
                    "[block_handler.bh0]",
                )
            ],
            'warning: pool.toml:32: metrics_bind = "127.0.0.1:8082" is where [paymaker] listens ',
        ),
        (
            [
                (
                    "[block_handler.bh0]",
                    SPRAYER + 'bind = "0.0.0.0:7777"\nmetrics_bind = "0.0.0.0:9083"\n'
                    "[block_handler.bh0]",
                )
            ],
            'warning: pool.toml:32: metrics_bind = "0.0.0.0:9083" can be reached by strangers',
        ),
    ],
)
def test_findings(tmp_path: Path, changes: list[Change], found: str) -> None:
    (only,) = findings(tmp_path, *changes)
    assert only.startswith(found)


@pytest.mark.parametrize(
    "changes",
    [
        [("127.0.0.1:8084", "10.0.0.7:8081")],
        [
            ('bind = "127.0.0.1:8084"', 'bind = "127.0.0.1:0"'),
            (AH0, AH0 + 'bind = "127.0.0.1:0"\n'),
        ],
        [("127.0.0.1:8084", "127.0.0.1:6666")],
        [("[master]\n", '[master]\nprivate_bind = "10.0.0.7:9080"\n')],
    ],
    ids=["two addresses", "ports that the system chooses", "TCP and UDP", "an internal network"],
)
def test_what_does_not_collide(tmp_path: Path, changes: list[Change]) -> None:
    assert findings(tmp_path, *changes) == []
