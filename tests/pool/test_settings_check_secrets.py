"""What is found about passwords."""

from pathlib import Path

import pytest
from whole_pool_file import GOOD, Change, findings

from packetcrypt.pool.settings_check import check_settings


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        (
            [("Nq0iCd6Bf2Yw", "Nq0iCd6Bf2Y")],
            "warning: pool.toml:3: paymaker_http_password has only 11 characters: make one with "
            "python3 -c ",
        ),
        (
            [("Zk1sT9aVx7Lm", "Nq0iCd6Bf2Yw")],
            "error: pool.toml:4: private_seed is the same as paymaker_http_password: who knows ",
        ),
        (
            [('"Nq0iCd6Bf2Yw"', '"Gy4xMb2Ds6Kv"')],
            "error: pool.toml:19: block_miner_passwd is the same as paymaker_http_password: ",
        ),
        (
            [('"Rw5uHo3Je8Pt"', '"PassWord"')],
            "warning: pool.toml:8: password is a word that everybody tries first, and who knows it "
            "decides whom the node's blocks pay: give pktd another rpcpass, made with python3 -c ",
        ),
        (
            [("[pktd]\n", '[pktd]\nurl = "http://10.0.0.7:64765"\n')],
            'warning: pool.toml:7: url = "http://10.0.0.7:64765" sends the password over the '
            "network in the clear: give https://, ",
        ),
        (
            [("[pktd]\n", '[pktd]\nurl = "https://node.example:64765"\ntls_verify = false\n')],
            "warning: pool.toml:8: tls_verify = false lets whoever is on the way read the password",
        ),
    ],
)
def test_findings(tmp_path: Path, changes: list[Change], found: str) -> None:
    assert findings(tmp_path, *changes)[0].startswith(found)


@pytest.mark.parametrize("password", ["a", "short"])
def test_how_long_the_nodes_password_is_is_not_ours_to_say(tmp_path: Path, password: str) -> None:
    found = findings(tmp_path, ('"Rw5uHo3Je8Pt"', f'"{password}"'))
    assert not any("characters" in finding for finding in found)


def test_without_passwords_there_is_nothing_to_guess(tmp_path: Path) -> None:
    changes = [('private_seed = "Zk1sT9aVx7Lm"\n', ""), ("Gy4xMb2Ds6Kv", "")]
    assert findings(tmp_path, *changes) == []


async def test_a_file_that_everybody_may_read(tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(GOOD)
    file.chmod(0o644)
    report = await check_settings(file)
    assert [str(finding) for finding in report.findings] == [
        f"warning: {file}: it holds passwords that every user of this machine may read: "
        f"chmod o-rwx {file}"
    ]
    assert report.is_good
