"""What the node is asked, in which words, and what is made of its answers."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from block_shares import mine_share
from pktd_chain import HEIGHT, SHARE_TARGET
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in
from vector_files import load_vectors

from packetcrypt.client.json_rpc import RpcMisconfigured, RpcRefused
from packetcrypt.client.pktd import (
    PktdClient,
    PktdSettings,
    ShareToCheck,
    ShareVerdict,
    pktd_client,
)
from packetcrypt.client.pktd_block import BlockPayments, Payment
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.commitment import insert_commitment
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.work_file import BlockWork

ANN_CHECKS = {case["name"]: case for case in load_vectors("ann_check")}


@pytest.fixture
async def pktd() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as pktd:
        yield pktd


@pytest.fixture
async def client(pktd: PktdStandIn) -> AsyncIterator[PktdClient]:
    async with pktd_client(pktd.settings) as client:
        yield client


def _to_check(work: BlockWork, is_block: bool = False) -> ShareToCheck:
    share = mine_share(work, is_block=is_block)
    return ShareToCheck(
        share_target=work.share_target,
        height=work.height,
        block=share.header.encode() + encode_proof_sections(share.proof, end=True) + b"\x00",
        coinbase_no_witness=insert_commitment(work.coinbase_no_witness, share.commitment.encode()),
        merkle_branch=work.merkle_branch,
    )


async def test_the_tip(pktd: PktdStandIn, client: PktdClient) -> None:
    assert await client.best_block_hash() == pktd.chain.tip.hash
    assert await client.block_header(pktd.chain.tip.hash) == pktd.chain.tip
    shown = pktd.chain.tip.hash[::-1].hex()
    assert pktd.calls == [("getbestblockhash", []), ("getblockheader", [shown, True])]


async def test_a_block_that_the_node_does_not_have(client: PktdClient) -> None:
    with pytest.raises(RpcRefused, match=r"did not answer getblockheader: .*Block not found"):
        await client.block_header(bytes(32))


ADDRESS = "pkt1q6hqsqhqdgqfd8t3xwgceulu7k9d9w5t2amath0qxyfjlvl3s3u4sjza2g2"
BLOCK_HASH = "b683b1cffd6611c944383fb21d27985d9507e794f32ab842dca3e4fb939126f0"
COINBASE_ID = "4986d0bc16097f9a1b7f359892b462741e2c1e441e9528904d13b0c987eca6f8"


def _getblock(**changes: object) -> bytes:
    """What pktd answered about a block of its own, less what nobody reads."""
    coinbase = {
        "txid": COINBASE_ID,
        "hash": COINBASE_ID,
        "vin": [{"coinbase": "021601000b2f503253482f706b74642f", "sequence": 4294967295}],
        "vout": [
            {"value": 3336.0546875, "svalue": "3582061445120", "n": 0, "address": ADDRESS},
            {"value": 829.9453125, "svalue": "891146993664", "n": 1, "address": ADDRESS},
            {
                "value": 0,
                "svalue": "0",
                "n": 2,
                "address": "script:ajAJ+REC4P8fIOpqjZmBop/ilLb6PnOMrllc1tbnapHHddg2hq1XJgpvBgIAAA=",
            },
        ],
    }
    block = {
        "hash": BLOCK_HASH,
        "confirmations": 1,
        "height": 278,
        "rawtx": [coinbase],
        "sblockreward": "4473208438784",
    }
    return json.dumps({"result": {**block, **changes}, "error": None, "id": 1}).encode()


async def test_whom_a_block_pays(pktd: PktdStandIn, client: PktdClient) -> None:
    pktd.faults["getblock"] = Fault(body=_getblock())
    block_hash = bytes.fromhex(BLOCK_HASH)[::-1]

    assert await client.block(block_hash) == BlockPayments(
        hash=block_hash,
        height=278,
        transaction_ids=(bytes.fromhex(COINBASE_ID)[::-1],),
        payments=(Payment(ADDRESS, 3582061445120), Payment(ADDRESS, 891146993664)),
    )
    assert pktd.calls == [("getblock", [BLOCK_HASH, True, True])]


def _one_output(svalue: object) -> list[object]:
    return [{"txid": COINBASE_ID, "vout": [{"svalue": svalue, "address": ADDRESS}]}]


@pytest.mark.parametrize(
    ("rawtx", "message"),
    [
        ([], '"rawtx" has no coinbase'),
        (["00"], r'"rawtx\[0\]": expected a JSON object'),
        ([{"vout": []}], '"txid" is missing'),
        (_one_output(5), '"svalue" must be a string'),
        (_one_output("-5"), '"svalue" must be a whole number'),
        (_one_output("1.5"), '"svalue" must be a whole number'),
        (_one_output("1" * 20), '"svalue" must be a whole number'),
    ],
)
async def test_a_block_in_another_form(
    pktd: PktdStandIn, client: PktdClient, rawtx: object, message: str
) -> None:
    pktd.faults["getblock"] = Fault(body=_getblock(rawtx=rawtx))
    with pytest.raises(
        RpcMisconfigured, match=f"answered getblock with something else: .*{message}"
    ):
        await client.block(bytes(32))


async def test_a_good_announcement(pktd: PktdStandIn, client: PktdClient) -> None:
    # The work hash is what pktd said about this announcement, in display order.
    good = ANN_CHECKS["valid"]
    parent_hash = bytes.fromhex(good["parent_block_hash"])

    work_hash = await client.check_announcement(bytes.fromhex(good["ann"]), parent_hash)

    shown = "00e5365226efdf9a5cd53e75841c894cb6fe226fe5c9c4de8ba245f35cd8d4d0"
    assert work_hash[::-1].hex() == shown
    assert pktd.calls == [("checkpcann", [good["ann"], 2, parent_hash[::-1].hex()])]


async def test_a_bad_announcement(client: PktdClient) -> None:
    bad = ANN_CHECKS["flip last byte"]
    with pytest.raises(RpcRefused, match=r"answer checkpcann: .*INVAL_ITEM4"):
        await client.check_announcement(
            bytes.fromhex(bad["ann"]), bytes.fromhex(bad["parent_block_hash"])
        )


async def test_a_template(pktd: PktdStandIn, client: PktdClient) -> None:
    assert await client.block_template() == pktd.chain.template()


async def test_the_words_of_a_share(pktd: PktdStandIn, client: PktdClient) -> None:
    share = _to_check(pktd.chain.work())

    await client.check_share(share)

    assert pktd.calls == [
        (
            "checkpcshare",
            [
                {
                    "sharetarget": SHARE_TARGET,
                    "height": HEIGHT,
                    "hexblock": share.block.hex(),
                    "coinbase": share.coinbase_no_witness.hex(),
                    "merklebranch": [sibling.hex() for sibling in share.merkle_branch],
                }
            ],
        )
    ]


@pytest.mark.parametrize(
    ("is_block", "verdict"), [(False, ShareVerdict.OK), (True, ShareVerdict.RESUBMIT_AS_BLOCK)]
)
async def test_a_good_share(
    pktd: PktdStandIn, client: PktdClient, is_block: bool, verdict: ShareVerdict
) -> None:
    assert await client.check_share(_to_check(pktd.chain.work(), is_block)) is verdict


@pytest.mark.parametrize(
    "fault", [Fault(error=(-1, "high-hash")), Fault(body=b'{"result":"high-hash","id":1}')]
)
async def test_a_bad_share(pktd: PktdStandIn, client: PktdClient, fault: Fault) -> None:
    pktd.faults["checkpcshare"] = fault
    with pytest.raises(RpcRefused, match="high-hash") as raised:
        await client.check_share(_to_check(pktd.chain.work()))
    assert raised.value.reason == "high-hash"


async def test_a_block_that_is_taken(pktd: PktdStandIn, client: PktdClient) -> None:
    pktd.faults["submitblock"] = Fault(body=b'{"result":null,"error":null,"id":1}')
    await client.submit_block(b"block")
    assert pktd.calls == [("submitblock", [b"block".hex()])]


async def test_a_block_that_is_not_taken(pktd: PktdStandIn, client: PktdClient) -> None:
    pktd.faults["submitblock"] = Fault(body=b'{"result":"bad-txns","error":null,"id":1}')
    with pytest.raises(RpcRefused, match="did not take a block: bad-txns") as raised:
        await client.submit_block(b"block")
    assert (raised.value.code, raised.value.reason) == (None, "bad-txns")


async def test_payouts(pktd: PktdStandIn, client: PktdClient) -> None:
    await client.configure_mining_payouts({"pkt1a": 0.25, "pkt1b": 0.75})
    assert pktd.payouts == {"pkt1a": 0.25, "pkt1b": 0.75}


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("getbestblockhash", b"7"),
        ("getbestblockhash", b'"00"'),
        ("getblockheader", b'"00"'),
        ("getblockheader", b'{"hash": "00"}'),
        ("getrawblocktemplate", b"{}"),
        (
            "getrawblocktemplate",
            b'{"height":1,"header":"zz","coinbase_no_witness":"","merklebranch":[],'
            b'"transactions":[]}',
        ),
    ],
)
async def test_answers_of_another_form(
    pktd: PktdStandIn, client: PktdClient, method: str, result: bytes
) -> None:
    pktd.faults[method] = Fault(body=b'{"error":null,"id":1,"result":' + result + b"}")
    call = {
        "getbestblockhash": client.best_block_hash,
        "getblockheader": lambda: client.block_header(bytes(32)),
        "getrawblocktemplate": client.block_template,
    }[method]
    with pytest.raises(RpcMisconfigured, match=f"answered {method} with something else"):
        await call()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "127.0.0.1:64765"}, "url = "),
        (
            {"url": "http://a", "tls_certificate": Path("rpc.cert")},
            "of no use for an url with http",
        ),
        (
            {
                "url": "https://127.0.0.1:64765",
                "tls_certificate": Path("rpc.cert"),
                "tls_verify": False,
            },
            "tls_verify = false makes",
        ),
        ({"timeout": 0.0}, "timeout = 0.0 cannot work"),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PktdSettings(**{"user": "u", "password": "p", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_certificate_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "rpc.cert"
    if content is not None:
        path.write_text(content)
    settings = PktdSettings(
        url="https://127.0.0.1:64765", user="u", password="p", tls_certificate=path
    )
    with pytest.raises(ConfigError, match=r'tls_certificate = ".*rpc\.cert" cannot be used'):
        async with pktd_client(settings):
            pass
