"""What is found when the running master and node are asked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from handler_master import ChangingMaster, changing_master
from pktd_stand_in import pktd_stand_in
from pool_processes import free_port
from whole_pool_file import Change, changed, shown

from packetcrypt.pool.settings_check import check_settings
from packetcrypt.pool.share_work import SigningKeys

SEED = "Zk1sT9aVx7Lm"
AH0, AH1, BH0 = (f"http://pool.example/{name}/submit" for name in ("ah0", "ah1", "bh0"))


@asynccontextmanager
async def _master_of_the_file() -> AsyncIterator[ChangingMaster]:
    """A master that runs as the file says."""
    async with changing_master() as master:
        config = master.config
        master.config = replace(
            config,
            submit_ann_urls=(AH0, AH1),
            submit_block_urls=(BH0,),
            paymaker_url="http://pool.example/paymaker",
            ann_target=0x2001FFFF,
        )
        _sign(master, SEED)
        yield master


def _sign(master: ChangingMaster, seed: str) -> None:
    tip = master.blocks[master.config.tip_hash]
    key = SigningKeys(seed).key_of_parent(tip.height)
    master.blocks[tip.hash] = replace(tip, signing_key=key)


async def _findings(folder: Path, master: ChangingMaster, *changes: Change) -> Sequence[str]:
    """What is said against the running master; that its URL is loopback's is left out."""
    file = folder / "pool.toml"
    url = master.config.master_url
    file.write_text(changed(("http://pool.example/master", url), *changes))
    file.chmod(0o600)
    report = await check_settings(file, asks_master=True)
    offline = await check_settings(file)
    return [shown(f, folder) for f in report.findings if f not in offline.findings]


async def test_a_master_that_runs_as_the_file_says(tmp_path: Path) -> None:
    async with _master_of_the_file() as master:
        assert await _findings(tmp_path, master) == []


async def test_a_handler_that_the_master_does_not_list(tmp_path: Path) -> None:
    async with _master_of_the_file() as master:
        master.config = replace(master.config, submit_ann_urls=(AH0,))
        assert await _findings(tmp_path, master) == [
            'error: pool.toml:25: public_url = "http://pool.example/ah1" is not in the '
            "submitAnnUrls of the running master, so that no miner comes to it: restart the "
            f"master, if the table was added since; else give the URL that it lists: {AH0}"
        ]


async def test_a_block_handler_that_the_master_does_not_list(tmp_path: Path) -> None:
    async with _master_of_the_file() as master:
        master.config = replace(master.config, submit_block_urls=())
        (only,) = await _findings(tmp_path, master)
        assert 'public_url = "http://pool.example/bh0" is not in the submitBlockUrls' in only
        assert only.endswith("give the URL that it lists: none")


async def test_a_handler_that_is_not_in_the_file(tmp_path: Path) -> None:
    async with _master_of_the_file() as master:
        master.config = replace(master.config, submit_ann_urls=(AH0, AH1, AH1.replace("1", "2")))
        (only,) = await _findings(tmp_path, master)
        assert only.startswith(
            "error: pool.toml:10: the running master lists http://pool.example/ah2/submit in its "
            "submitAnnUrls, and no table here has it"
        )


async def test_the_list_of_a_file_without_master_may_be_longer(tmp_path: Path) -> None:
    async with _master_of_the_file() as master:
        urls = (AH0, AH1.replace("1", "2"), AH1 + "/")
        master.config = replace(master.config, submit_ann_urls=urls)
        table = '[master]\npaymaker_url = "http://pool.example/paymaker"\n'
        assert await _findings(tmp_path, master, (table, "")) == []


async def test_another_order(tmp_path: Path) -> None:
    async with _master_of_the_file() as master:
        master.config = replace(master.config, submit_ann_urls=(AH1, AH0))
        (only,) = await _findings(tmp_path, master)
        assert only == (
            "error: pool.toml:17: the running master numbers these tables in another order, "
            f"submitAnnUrls = {AH1}, {AH0}: miners would send announcements to the wrong handler: "
            "order the tables [ann_handler.ah1], [ann_handler.ah0]"
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[master]\n", "[master]\nmine_old_anns = 3\n"), "mine_old_anns is 3 here, but 0 in the"),
        (
            ("[master]\n", "[master]\nann_target = 0x207fffff\n"),
            "ann_target is 0x207fffff here, but 0x2001ffff",
        ),
        (("pool.example/paymaker", "pool.example/p"), "paymaker_url is http://pool.example/p here"),
        (('private_seed = "Zk1sT9aVx7Lm"\n', ""), "signs announcements with another private_seed"),
        (
            (SEED, "Lm7xVa9Ts1kZ"),
            "signs announcements with another private_seed: give the master's",
        ),
    ],
)
async def test_a_master_with_other_settings(tmp_path: Path, change: Change, message: str) -> None:
    async with _master_of_the_file() as master:
        (only,) = await _findings(tmp_path, master, change)
        assert only.startswith("error: pool.toml")
        assert message in only


async def test_a_master_that_does_not_sign(tmp_path: Path) -> None:
    async with _master_of_the_file() as master:
        _sign(master, "")
        (only,) = await _findings(tmp_path, master)
        assert "private_seed is given, but the running master does not sign: restart it" in only


async def test_a_master_that_is_not_there(tmp_path: Path) -> None:
    master = ChangingMaster()
    url = f"http://127.0.0.1:{free_port()}"
    master.config = replace(master.config, master_url=url)
    (only,) = await _findings(tmp_path, master)
    assert only.startswith(
        f"error: pool.toml:1: the master cannot be compared with: GET {url}/config.json failed: "
    )


async def _node_findings(folder: Path, url: str, password: str) -> Sequence[str]:
    file = folder / "pool.toml"
    file.write_text(changed(('"Rw5uHo3Je8Pt"', f'"{password}"\nurl = "{url}"'), ('"x"', '"pool"')))
    file.chmod(0o600)
    report = await check_settings(file, asks_node=True)
    return [shown(finding, folder) for finding in report.findings]


async def test_a_node_that_answers(tmp_path: Path) -> None:
    async with pktd_stand_in() as node:
        assert await _node_findings(tmp_path, node.url, node.settings.password) == []


async def test_a_node_that_does_not_let_in(tmp_path: Path) -> None:
    async with pktd_stand_in() as node:
        (only,) = await _node_findings(tmp_path, node.url, "Rw5uHo3Je8Pt")
        assert only.startswith("error: pool.toml:6: the node cannot be used: ")


async def test_no_node_to_ask(tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    file.write_text('[sprayer.s0]\npasswd = ""\nsubscribe = ["a.example:1"]\n')
    report = await check_settings(file, asks_node=True, asks_master=True)
    assert [finding.rule for finding in report.findings] == [
        "no table says which master to ask",
        "no table [pktd] says which node to ask",
    ]
