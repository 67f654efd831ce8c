"""What a posted share must be before the node is asked about it (spec 2 "Block miner → Handler").

Only what costs next to nothing is looked at here. Whether the share was mined is for the node to
say: it compares signatures and work before it looks at announcements, so that a made-up share costs
it little, and a second judge could only differ from the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from packetcrypt.handler.block_state import BlockState
from packetcrypt.protocol.address import parse_address
from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_signature import (
    is_signed,
    public_key,
    sign_announcement,
    signing_key_of,
)
from packetcrypt.protocol.block_header import BLOCK_HEADER_SIZE, BlockHeader, merkle_root
from packetcrypt.protocol.block_proof import BlockProof, decode_proof_sections
from packetcrypt.protocol.commitment import BlockCommitment, insert_commitment
from packetcrypt.protocol.errors import DecodeError, PacketCryptError
from packetcrypt.protocol.pool_messages import PAY_TO_HEADER
from packetcrypt.protocol.share_messages import SharePost, share_event_id
from packetcrypt.protocol.signing_seed import signing_seed

BODY_LIMIT = 64 << 10
"""bytes of a post (spec 2)"""

MIN_AGE = 3
"""blocks from an announcement's parent to the block it is mined in"""


class ShareRefused(PacketCryptError):
    """A share that is answered with an error; the message is the protocol's text."""


class WrongWork(ShareRefused):
    """A share of another block than the one that is mined now, usually of the one before."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share in the work that it is of.

    header     : the work's, with the Merkle root and the nonce that were posted
    signatures : of the signed announcements, in order
    """

    state: BlockState
    pay_to: str
    commitment: BlockCommitment
    header: BlockHeader
    proof: BlockProof
    signatures: tuple[bytes, ...]

    @property
    def event_id(self) -> str:
        """What it is paid under.

        Made of the header as rebuilt: fields that nobody looks at must not make two shares of one.
        """
        return share_event_id(self.header.encode(), self.proof.low_nonce)


def pay_to_of(headers: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Whom a post is for, and warnings about it; raises `ShareRefused` if it says nobody."""
    pay_to = headers.get(PAY_TO_HEADER, "")
    if not pay_to:
        raise ShareRefused(f"header {PAY_TO_HEADER} is missing")
    try:
        parse_address(pay_to)
    except DecodeError as error:
        return pay_to, (str(error),)
    return pay_to, ()


def read_share(body: bytes, pay_to: str, state: BlockState, private_seed: str) -> Share:
    """The share in a post's body; raises `ShareRefused`.

    private_seed : the pool's, for announcements that are signed; "" if it has none
    """
    try:
        return _read(body, pay_to, state, private_seed)
    except DecodeError as error:
        raise ShareRefused(str(error)) from error


def _read(body: bytes, pay_to: str, state: BlockState, private_seed: str) -> Share:
    post = SharePost.decode(body)
    commitment = BlockCommitment.decode(post.coinbase_commit)
    posted = BlockHeader.decode(post.header_and_proof[:BLOCK_HEADER_SIZE])
    work = state.work
    if posted.previous_hash != work.header.previous_hash:
        raise WrongWork(
            "Share is for wrong work, expecting previous hash "
            f"[{work.header.previous_hash.hex()}] but got [{posted.previous_hash.hex()}]"
        )
    header = replace(work.header, merkle_root=posted.merkle_root, nonce=posted.nonce)
    proof, _, _ = decode_proof_sections(post.header_and_proof[BLOCK_HEADER_SIZE:], end=False)
    coinbase = insert_commitment(work.coinbase_no_witness, post.coinbase_commit)
    expected = merkle_root(coinbase, work.merkle_branch)
    if header.merkle_root != expected:
        raise ShareRefused(
            f"Merkle root [{header.merkle_root.hex()}] is not that of the work with this "
            f"coinbase_commit, [{expected.hex()}]"
        )
    return Share(
        state=state,
        pay_to=pay_to,
        commitment=commitment,
        header=header,
        proof=proof,
        signatures=_signatures(proof, work.height, private_seed),
    )


def _signatures(proof: BlockProof, height: int, private_seed: str) -> tuple[bytes, ...]:
    signatures = []
    for number, announcement in enumerate(proof.announcements):
        parent_height = AnnouncementHeader.decode(announcement).parent_height
        # The first blocks of a chain have no older parents, and take any (spec 1 §5 "Check").
        if height >= MIN_AGE and parent_height > height - MIN_AGE:
            raise ShareRefused(
                f"announcement {number} has parent block {parent_height}, but in block {height} "
                f"the newest parent allowed is {height - MIN_AGE}"
            )
        if is_signed(announcement):
            seed = signing_seed(private_seed, parent_height + 1)
            if not private_seed or public_key(seed) != signing_key_of(announcement):
                raise ShareRefused(
                    f"announcement {number} has signing key "
                    f"[{signing_key_of(announcement).hex()}], which is not this pool's for parent "
                    f"block {parent_height}: it was mined for another pool"
                )
            signatures.append(sign_announcement(announcement, seed))
    return tuple(signatures)
