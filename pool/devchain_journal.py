"""Where a development chain is kept: a file of JSON lines that only grows.

    {"height", "header", "nextBits", "commitment", "proof", "transactions"}   a block
    {"payouts": {address: fraction}}                            who the next blocks pay

A line is on the disk before anybody hears of what it says. What a crash left half written at the
end is cut off; damage anywhere else is an error, because the rest would hang in the air. The target
of the block after it is kept with each block: work that a master published stays good, whatever is
set differently after a restart.

Blocking.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from packetcrypt.handler.durable import DurableFile
from packetcrypt.pool.devchain_payouts import Payouts, read_payouts
from packetcrypt.pool.devchain_tree import BlockTree, ChainBlock
from packetcrypt.protocol.block_header import BlockHeader
from packetcrypt.protocol.commitment import BlockCommitment
from packetcrypt.protocol.errors import ConfigError, DecodeError
from packetcrypt.protocol.json_fields import I32_MAX, U32_MAX, JsonFields

_NAME: Final = "chain.ndjson"


class ChainJournal:
    """The file of one chain; reading it is part of opening it.

    tree    : the blocks; None if there are none yet
    payouts : those configured last
    cut     : bytes of a half-written line that were cut off
    """

    def __init__(self, folder: Path) -> None:
        """Raises `ConfigError` if the file is damaged, `OSError` if it cannot be used."""
        self.path = folder / _NAME
        self.tree: BlockTree | None = None
        self.payouts: Payouts = {}
        self.cut = 0
        self._file = DurableFile(self.path)
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def add_block(self, block: ChainBlock, proof: bytes = b"") -> None:
        """Writes a block; proof: its sections with their end marker, none of a made-up one."""
        commitment = None if block.commitment is None else block.commitment.encode().hex()
        self._append(
            {
                "height": block.height,
                "header": block.header.encode().hex(),
                "nextBits": block.next_bits,
                "commitment": commitment,
                "proof": proof.hex(),
                "transactions": [transaction.hex() for transaction in block.transactions],
            }
        )

    def set_payouts(self, payouts: Payouts) -> None:
        """Writes who is paid from now on."""
        self._append({"payouts": dict(payouts)})

    def close(self) -> None:
        """Idempotent."""
        self._file.close()

    def _append(self, record: Mapping[str, Any]) -> None:
        self._file.append(json.dumps(record, separators=(",", ":")).encode() + b"\n")

    def _read(self) -> None:
        *lines, rest = self.path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                self._take(JsonFields.parse(line, "a line"))
            except DecodeError as error:
                raise ConfigError(
                    f"{self.path}:{number}: the development chain is damaged: {error}. Delete the "
                    "file, and what the pool's other services keep about this chain, to begin anew"
                ) from error
        if rest:
            self.cut = len(rest)
            self._file.cut(self._file.size - self.cut)

    def _take(self, record: JsonFields) -> None:
        if not record.is_absent("payouts"):
            self.payouts = read_payouts(record.value("payouts"))
            return
        block = _read_block(record)
        if self.tree is None:
            self.tree = BlockTree(block)
        elif block.header.previous_hash not in self.tree:
            raise DecodeError(f"block {block.height} follows a block that is not in the file")
        else:
            self.tree.add(block)


def _read_block(record: JsonFields) -> ChainBlock:
    is_made_up = record.is_null("commitment")
    return ChainBlock(
        height=record.integer("height", 0, I32_MAX),
        header=BlockHeader.decode(record.hex_bytes("header")),
        next_bits=record.integer("nextBits", 0, U32_MAX),
        commitment=None if is_made_up else BlockCommitment.decode(record.hex_bytes("commitment")),
        transactions=tuple(map(bytes.fromhex, record.texts("transactions"))),
    )
