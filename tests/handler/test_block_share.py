"""What a posted share must be, and what is made of it."""

import json
from dataclasses import replace

import pytest
from block_setup import PAY_TO
from block_shares import MinedShare, made_up_announcements, mine_share
from pktd_chain import HEIGHT, PktdChain

from packetcrypt.handler.block_share import Share, ShareRefused, WrongWork, pay_to_of, read_share
from packetcrypt.handler.block_state import BlockState
from packetcrypt.protocol.announcement_signature import signature_is_valid
from packetcrypt.protocol.share_messages import SharePost

CHAIN = PktdChain()
STATE = BlockState(CHAIN.work(), CHAIN.template())
SEED = "the pool's secret"


@pytest.fixture(scope="module")
def mined() -> MinedShare:
    return mine_share(STATE.work)


def _read(post: SharePost, private_seed: str = "") -> Share:
    return read_share(post.encode(), PAY_TO, STATE, private_seed)


def _changed(mined: MinedShare, offset: int, new: bytes) -> SharePost:
    """The post with other bytes in its header."""
    data = bytearray(mined.post.header_and_proof)
    data[offset : offset + len(new)] = new
    return SharePost(mined.post.coinbase_commit, bytes(data))


def test_a_share_is_what_was_mined(mined: MinedShare) -> None:
    share = _read(mined.post)

    assert (share.header, share.proof, share.commitment) == (
        mined.header,
        mined.proof,
        mined.commitment,
    )
    assert (share.pay_to, share.signatures) == (PAY_TO, ())


@pytest.mark.parametrize(("field", "offset"), [("version", 0), ("time", 68), ("bits", 72)])
def test_header_fields_are_those_of_the_work_whatever_was_posted(
    mined: MinedShare, field: str, offset: int
) -> None:
    share = _read(_changed(mined, offset, b"\x11\x22\x33\x44"))

    assert share.header == mined.header
    assert share.event_id == _read(mined.post).event_id


def test_the_nonce_is_the_miners(mined: MinedShare) -> None:
    share = _read(_changed(mined, 76, b"\x07\x00\x00\x00"))

    assert share.header == replace(mined.header, nonce=7)
    assert share.event_id != _read(mined.post).event_id


def test_wrong_work_is_told_in_the_protocols_words(mined: MinedShare) -> None:
    stale = bytes(range(32))

    with pytest.raises(WrongWork) as raised:
        _read(_changed(mined, 4, stale))

    expected = STATE.work.header.previous_hash.hex()
    assert str(raised.value) == (
        f"Share is for wrong work, expecting previous hash [{expected}] but got [{stale.hex()}]"
    )


def test_a_merkle_root_without_the_commitment(mined: MinedShare) -> None:
    with pytest.raises(ShareRefused, match="is not that of the work with this coinbase_commit"):
        _read(_changed(mined, 36, bytes(32)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"[]", "expected a JSON object"),
        (b'{"header_and_proof":"00"}', 'field "coinbase_commit" is missing'),
        (b'{"coinbase_commit":"' + b"00" * 48 + b'"}', 'field "header_and_proof" is missing'),
        (b'{"coinbase_commit":"00","header_and_proof":"00"}', "96 hexadecimal digits"),
        (
            b'{"coinbase_commit":"' + b"00" * 48 + b'","header_and_proof":"00"}',
            "a coinbase commitment begins 09f91102",
        ),
        (
            b'{"coinbase_commit":"09f91102' + b"00" * 44 + b'","header_and_proof":"00"}',
            "a block header has 80 bytes, these are 1",
        ),
    ],
)
def test_what_is_no_share(body: bytes, message: str) -> None:
    with pytest.raises(ShareRefused, match=message):
        read_share(body, PAY_TO, STATE, "")


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (slice(0, 80), "ends"),
        (slice(0, -1), "ends|left"),
        (slice(0, -3), "section type 4, the proof version, is missing"),
    ],
)
def test_a_share_that_is_cut_short(mined: MinedShare, cut: slice, message: str) -> None:
    post = replace(mined.post, header_and_proof=mined.post.header_and_proof[cut])

    with pytest.raises(ShareRefused, match=message):
        _read(post)


def test_an_end_marker_is_for_the_handler_to_write(mined: MinedShare) -> None:
    post = replace(mined.post, header_and_proof=mined.post.header_and_proof + b"\x00\x00")

    with pytest.raises(ShareRefused, match="a share goes without one"):
        _read(post)


@pytest.mark.parametrize("parent", [HEIGHT - 2, HEIGHT - 1, HEIGHT, 0xFFFFFFFF])
def test_an_announcement_that_is_too_young(mined: MinedShare, parent: int) -> None:
    data = bytearray(mined.post.header_and_proof)
    first = data.index(mined.proof.announcements[0])
    data[first + 12 : first + 16] = parent.to_bytes(4, "little")

    with pytest.raises(ShareRefused) as raised:
        _read(replace(mined.post, header_and_proof=bytes(data)))

    assert str(raised.value) == (
        f"announcement 0 has parent block {parent}, but in block {HEIGHT} the newest parent "
        f"allowed is {HEIGHT - 3}"
    )


@pytest.mark.parametrize(("height", "is_good"), [(2, True), (3, False)])
def test_the_first_blocks_of_a_chain_take_any_parent(height: int, is_good: bool) -> None:
    chain = PktdChain()
    chain.blocks.clear()
    chain.add_made_up_block(height - 1)
    state = BlockState(chain.work(), chain.template())
    announcements = made_up_announcements(height - 1)
    # Too young for a set from block 3 on, so what is mined is not what is posted.
    mined = mine_share(replace(state.work, height=2), announcements)

    body = mined.post.encode()
    if is_good:
        assert read_share(body, PAY_TO, state, "").proof == mined.proof
    else:
        with pytest.raises(ShareRefused, match="announcement 0 has parent block 2"):
            read_share(body, PAY_TO, state, "")


def test_signed_announcements_are_signed_by_the_pool() -> None:
    mined = mine_share(STATE.work, made_up_announcements(HEIGHT - 3, SEED))

    share = _read(mined.post, SEED)

    pairs = zip(mined.proof.announcements, share.signatures, strict=True)
    assert all(signature_is_valid(announcement, signature) for announcement, signature in pairs)


def test_of_signed_and_unsigned_ones_the_signed_are_signed() -> None:
    signed, unsigned = made_up_announcements(HEIGHT - 3, SEED), made_up_announcements(HEIGHT - 4)
    nonces = range(100)
    mined = next(
        share
        for share in (mine_share(STATE.work, signed + unsigned, nonce=n) for n in nonces)
        if 0 < sum(one in signed for one in share.proof.announcements) < 4
    )

    share = _read(mined.post, SEED)

    those = [one for one in mined.proof.announcements if one in signed]
    assert all(map(signature_is_valid, those, share.signatures))
    assert len(share.signatures) == len(those)


@pytest.mark.parametrize("private_seed", ["", "another secret"])
def test_announcements_signed_for_another_pool(private_seed: str) -> None:
    mined = mine_share(STATE.work, made_up_announcements(HEIGHT - 3, SEED))

    with pytest.raises(ShareRefused, match=r"announcement 0 has signing key .* another pool"):
        _read(mined.post, private_seed)


def test_a_key_is_of_one_height() -> None:
    announcements = made_up_announcements(HEIGHT - 3, SEED)
    older = tuple(one[:12] + (HEIGHT - 4).to_bytes(4, "little") + one[16:] for one in announcements)
    mined = mine_share(STATE.work, older)

    with pytest.raises(ShareRefused, match="is not this pool's for parent block"):
        _read(mined.post, SEED)


def test_who_is_paid() -> None:
    assert pay_to_of({"x-pc-payto": PAY_TO}) == (PAY_TO, ())


@pytest.mark.parametrize("pay_to", ["somebody", "bc1qexample", PAY_TO[:-1], "a b"])
def test_an_address_that_is_none_is_warned_about_only(pay_to: str) -> None:
    returned, warnings = pay_to_of({"x-pc-payto": pay_to})

    assert returned == pay_to
    assert len(warnings) == 1
    assert "is not a PKT address" in warnings[0]


@pytest.mark.parametrize("headers", [{}, {"x-pc-payto": ""}])
def test_somebody_must_be_paid(headers: dict[str, str]) -> None:
    with pytest.raises(ShareRefused, match="header x-pc-payto is missing"):
        pay_to_of(headers)


def test_the_body_limit_has_room_for_the_largest_share() -> None:
    """64 levels of a tree of 2^64 announcements, for each of the four."""
    proof = 4 * 64 * 40
    sections = 80 + 4 + 4 * 1024 + proof + 10
    body = SharePost(bytes(48), bytes(sections)).encode()

    assert len(json.loads(body)["header_and_proof"]) == 2 * sections
    assert len(body) < 64 << 10
