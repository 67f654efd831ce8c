"""What pool.toml says about the paymaker, and how mistakes are told."""

from pathlib import Path

import pytest
from paymaker_setup import ERROR, FEE, POOL

from packetcrypt.pool.paymaker_settings import PaymakerSettings
from packetcrypt.pool.paymaker_settings_file import load_paymaker_settings
from packetcrypt.protocol.errors import ConfigError

GOOD = f"""\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "word"

[paymaker]
default_address = "{POOL}"
error_address = "{ERROR}"

[pktd]
user = "x"
password = "y"

[ann_handler.ah0]
public_url = "http://pool.example/ah0"
"""


def load(folder: Path, text: str = GOOD) -> PaymakerSettings:
    path = folder / "pool.toml"
    path.write_text(text)
    return load_paymaker_settings(path)


def test_the_defaults_are_those_of_the_protocol(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.ledger == tmp_path / "work" / "paymaker" / "ledger.sqlite"
    rules = settings.rules
    assert (rules.block_part, rules.block_constant, rules.announcement_constant) == (0.5, 2, 0.125)
    assert (rules.pool_fee, rules.default_address) == (0, POOL)
    assert (settings.update_cycle, settings.history_milliseconds) == (120, 172_800_000)


def test_what_is_set_is_used(tmp_path: Path) -> None:
    more = f'pool_fee = 0.02\npool_fee_address = "{FEE.upper()}"\npplns_blk_constant_x = 3\n'
    settings = load(tmp_path, GOOD.replace("[paymaker]\n", "[paymaker]\n" + more))
    assert settings.rules.pool_fee == 0.02
    assert settings.rules.pool_fee_address == FEE
    assert settings.rules.block_constant == 3


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("fee = 0.1", '"fee" is no setting in \\[paymaker\\]'),
        ("pool_fee = 1", "pool_fee_address = \"\": '' is not a PKT address"),
        (f'pool_fee = 1\npool_fee_address = "{FEE}"', "pool_fee = 1 cannot work: give a part"),
        (f'pool_fee = -0.1\npool_fee_address = "{FEE}"', "pool_fee = -0.1 cannot work"),
        ('pool_fee_address = "x"', "pool_fee_address = \"x\": 'x' is not a PKT address"),
        ("block_payout_fraction = 1.5", "block_payout_fraction = 1.5 cannot work: give 0 to 1"),
        ("pplns_ann_constant_x = 0", "pplns_ann_constant_x = 0 cannot work: give credits"),
        ("update_cycle = 0", "update_cycle = 0 cannot work: give seconds"),
        ("history = -1", "history = -1 cannot work: give seconds"),
        ("max_body = 0", "max_body = 0 cannot work: give 1 or more"),
        ('max_body = "1"', "max_body must be an integer"),
        ('bind = "x"', 'bind = "x" is no address'),
        ('public_url = "pool"', 'public_url = "pool"'),
    ],
)
def test_mistakes(tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"pool.toml:[567]: {message}"):
        load(tmp_path, GOOD.replace("[paymaker]\n", f"[paymaker]\n{setting}\n"))


@pytest.mark.parametrize("name", ["default_address", "error_address"])
def test_addresses_are_needed_and_checked(tmp_path: Path, name: str) -> None:
    line = next(line for line in GOOD.splitlines() if line.startswith(name))
    with pytest.raises(ConfigError, match=rf'\[paymaker\] lacks "{name}": add e.g. {name} = "'):
        load(tmp_path, GOOD.replace(line, ""))
    with pytest.raises(ConfigError, match=f"{name} = \"nobody\": 'nobody' is not a PKT address"):
        load(tmp_path, GOOD.replace(line, f'{name} = "nobody"'))


def test_no_paymaker_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"it has no paymaker: add a table, e.g.\n\[paymaker\]"):
        load(tmp_path, GOOD.replace("[paymaker]", "[master]").replace("[master]", "[sprayer.x]"))
