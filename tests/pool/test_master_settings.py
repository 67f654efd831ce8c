"""What pool.toml says about the master, and how mistakes are told."""

from pathlib import Path

import pytest

from packetcrypt.pool.master_settings import MasterSettings
from packetcrypt.pool.master_settings_file import load_master_settings
from packetcrypt.protocol.errors import ConfigError

GOOD = """\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "word"

[master]
paymaker_url = "http://pool.example/paymaker"

[pktd]
user = "x"
password = "y"

[ann_handler.zebra]
public_url = "http://pool.example/ah0/"

[ann_handler.ape]
public_url = "http://pool.example/ah1"

[block_handler.bh0]
public_url = "http://pool.example/bh0"
"""


def load(folder: Path, text: str = GOOD) -> MasterSettings:
    path = folder / "pool.toml"
    path.write_text(text)
    return load_master_settings(path)


def test_a_good_file(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.pool.root_workdir == tmp_path / "work"
    assert (settings.address, settings.public_path) == (("127.0.0.1", 8080), "/master")
    assert (settings.ann_target, settings.share_work_divisor) == (0x2001FFFF, 4)
    assert settings.page
    assert (settings.pool_name, settings.page_live_clients) == ("PacketCrypt pool", 512)


def test_handlers_are_numbered_by_their_order_in_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.submit_ann_urls == (
        "http://pool.example/ah0/submit",
        "http://pool.example/ah1/submit",
    )
    assert settings.download_ann_urls == ("http://pool.example/ah0", "http://pool.example/ah1")
    assert settings.submit_block_urls == ("http://pool.example/bh0/submit",)


def test_what_is_set_is_used(tmp_path: Path) -> None:
    more = '[master]\nbind = "0.0.0.0:99"\nann_target = 0x207fffff\nmine_old_anns = 3\n'
    settings = load(tmp_path, GOOD.replace("[master]\n", more))
    assert settings.address == ("0.0.0.0", 99)
    assert (settings.ann_target, settings.mine_old_anns) == (0x207FFFFF, 3)


def test_the_page_can_be_named_and_left_out(tmp_path: Path) -> None:
    more = f'[master]\npage = false\npool_name = "{"ü" * 80}"\npage_live_clients = 1\n'
    settings = load(tmp_path, GOOD.replace("[master]\n", more))
    assert not settings.page
    assert (settings.pool_name, settings.page_live_clients) == ("ü" * 80, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[master]", "[master]\nann_targets = 1", r'pool.toml:6: "ann_targets" is no setting in'),
        ("[master]", "[master]\nann_target = 0", r"pool.toml:6: ann_target = 0x0 is a target that"),
        ("[master]", '[master]\nbind = "x"', r'pool.toml:6: bind = "x" is no address'),
        ("[master]", "[master]\nshare_work_divisor = 0", r"pool.toml:6: share_work_divisor = 0"),
        ("[master]", "[master]\nmine_old_anns = 6", r"pool.toml:6: mine_old_anns = 6 cannot"),
        ("[master]", '[master]\npool_name = " "', r'pool.toml:6: pool_name = " " cannot stand'),
        ("[master]", f'[master]\npool_name = "{"x" * 81}"', r"give 1 to 80 characters"),
        (
            "[master]",
            "[master]\npage_live_clients = 0",
            r"pool.toml:6: page_live_clients = 0 cannot",
        ),
        ("[master]", "[master]\npage = 1", r"pool.toml:6: page must be true or false"),
        (
            'paymaker_url = "http://pool.example/paymaker"',
            'paymaker_url = "pool"',
            r'pool.toml:6: paymaker_url = "pool"',
        ),
        ('paymaker_url = "http://pool.example/paymaker"', "", r"\[master\] lacks \"paymaker_url\""),
        ('[pktd]\nuser = "x"\npassword = "y"', "", "does not say where pktd is"),
        (
            'public_url = "http://pool.example/ah1"',
            "",
            r"\[ann_handler.ape\] lacks public_url",
        ),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, GOOD.replace(old, new))


def test_no_master_at_all(tmp_path: Path) -> None:
    text = GOOD.replace('[master]\npaymaker_url = "http://pool.example/paymaker"\n', "")
    with pytest.raises(ConfigError, match=r"it has no master: add a table, e.g.\n\[master\]"):
        load(tmp_path, text)
