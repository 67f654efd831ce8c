"""A pool.toml in which a check finds nothing, and what it finds after changes of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from paymaker_setup import ERROR, POOL

from packetcrypt.pool.settings_check import check_settings
from packetcrypt.pool.settings_findings import Finding

GOOD = f"""\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "Nq0iCd6Bf2Yw"
private_seed = "Zk1sT9aVx7Lm"

[pktd]
user = "x"
password = "Rw5uHo3Je8Pt"

[master]
paymaker_url = "http://pool.example/paymaker"

[paymaker]
default_address = "{POOL}"
error_address = "{ERROR}"

[ann_handler.ah0]
public_url = "http://pool.example/ah0"
block_miner_passwd = "Gy4xMb2Ds6Kv"

[ann_handler.ah0.sprayer]
passwd = "Gy4xMb2Ds6Kv"

[ann_handler.ah1]
public_url = "http://pool.example/ah1"
bind = "127.0.0.1:8084"

[block_handler.bh0]
public_url = "http://pool.example/bh0"
"""
"""all services of a pool behind one reverse proxy on one machine"""

Change = tuple[str, str]
"""a piece of the file and what takes its place"""


def changed(*changes: Change, text: str = GOOD) -> str:
    """The file with changes; each piece must be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def findings(folder: Path, *changes: Change, text: str = GOOD) -> Sequence[str]:
    """What is found in a changed file, each as it is printed, with the file's name for its path."""
    file = folder / "pool.toml"
    file.write_text(changed(*changes, text=text))
    file.chmod(0o600)
    report = asyncio.run(check_settings(file))
    return [shown(finding, folder) for finding in report.findings]


def shown(finding: Finding, folder: Path) -> str:
    """As it is printed, without the folder."""
    return str(finding).replace(f"{folder}/", "")
