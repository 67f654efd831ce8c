"""What the node is asked, in which words, and what is made of its answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from block_shares import mine_share
from pktd_chain import HEIGHT, SHARE_TARGET
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.client.json_rpc import RpcMisconfigured, RpcRefused
from packetcrypt.client.pktd import (
    PktdClient,
    PktdSettings,
    ShareToCheck,
    ShareVerdict,
    pktd_client,
)
from packetcrypt.protocol.block_proof import encode_proof_sections
from packetcrypt.protocol.commitment import insert_commitment
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.work_file import BlockWork


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
