"""How a file of blocks or shares is read for `packetcrypt check block`: JSON.

One object or a list of them; bytes and compact targets in hexadecimal.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.announcement_signature import SIGNATURE_SIZE
from packetcrypt.protocol.block_check import CheckedBlock, check_block
from packetcrypt.protocol.block_hash import ITEMS_PER_HASH
from packetcrypt.protocol.block_header import BLOCK_HEADER_SIZE
from packetcrypt.protocol.block_proof import BlockProof
from packetcrypt.protocol.commitment import COMMITMENT_SIZE
from packetcrypt.protocol.errors import ConfigError, DecodeError
from packetcrypt.protocol.json_fields import I32_MAX, U32_MAX, JsonFields


@dataclass(frozen=True)
class ClaimedBlock:
    """What a file says about one block: the arguments of `check_block`."""

    header: bytes
    commitment: bytes
    proof: BlockProof
    height: int
    share_target: int
    parent_hashes: tuple[bytes, ...]
    signatures: tuple[bytes, ...] | None

    @classmethod
    def decode(cls, fields: JsonFields) -> "ClaimedBlock":
        """Reads one object; `DecodeError` names the field that is missing or of another form."""
        first, second, third, fourth = fields.hex_array("anns", ANNOUNCEMENT_SIZE, ITEMS_PER_HASH)
        return cls(
            header=fields.hex_bytes("header", BLOCK_HEADER_SIZE),
            commitment=fields.hex_bytes("coinbase_commit", COMMITMENT_SIZE),
            proof=BlockProof(
                fields.integer("nonce2", 0, U32_MAX),
                (first, second, third, fourth),
                fields.hex_bytes("proof"),
            ),
            height=fields.integer("block_height", 0, I32_MAX),
            share_target=int.from_bytes(fields.hex_bytes("share_target", 4)),
            parent_hashes=fields.hex_array("parent_block_hashes", 32, ITEMS_PER_HASH),
            signatures=None
            if fields.is_absent("signatures")
            else fields.hex_array("signatures", SIGNATURE_SIZE),
        )

    def check(self) -> CheckedBlock:
        """The verdict, by the real check of announcements."""
        return check_block(
            self.header,
            self.commitment,
            self.proof,
            self.height,
            self.share_target,
            self.parent_hashes,
            self.signatures,
        )


def read_blocks(file: Path) -> list[ClaimedBlock]:
    """All blocks of a file; raises `ConfigError` if it cannot be read, `DecodeError` as above."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}; give another file") from error
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"{file}: not JSON: {error}") from error
    if not isinstance(value, list):
        return [ClaimedBlock.decode(JsonFields(value, str(file)))]
    return [
        ClaimedBlock.decode(JsonFields(each, f"{file}: block {index}"))
        for index, each in enumerate(value)
    ]
