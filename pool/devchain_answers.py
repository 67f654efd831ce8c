"""How a development chain tells its blocks: the answers of getblockheader and getblock.

Hashes are hexadecimal in display order, the reverse of the internal one.
"""

from typing import Any, Final

from packetcrypt.client.pktd_block import UNITS_PER_PKT
from packetcrypt.pool.devchain_scripts import shown_address
from packetcrypt.pool.devchain_transactions import Transaction, read_transaction
from packetcrypt.pool.devchain_tree import BlockTree, ChainBlock
from packetcrypt.protocol.difficulty import work_of_compact

WORK_OF_DIFFICULTY: Final = 1 << 24
"""hashes: with this unit a paymaker's credit is the work of a block (spec 2 "Paymaker")"""


def header_answer(tree: BlockTree, block: ChainBlock) -> dict[str, Any]:
    """A block's header, and where it stands in the chain."""
    header = block.header
    confirmations = tree.confirmations(block)
    answer: dict[str, Any] = {
        "hash": _shown(block.hash),
        "confirmations": confirmations,
        "height": block.height,
        "version": header.version,
        "versionHex": f"{header.version & 0xFFFFFFFF:08x}",
        "merkleroot": _shown(header.merkle_root),
        "time": header.time,
        "nonce": header.nonce,
        "bits": f"{header.bits:08x}",
        "difficulty": work_of_compact(header.bits) / WORK_OF_DIFFICULTY,
    }
    if any(header.previous_hash):
        answer["previousblockhash"] = _shown(header.previous_hash)
    following = tree.at(block.height + 1)
    if confirmations > 0 and following is not None:
        answer["nextblockhash"] = _shown(following.hash)
    return answer


def block_answer(tree: BlockTree, block: ChainBlock) -> dict[str, Any]:
    """A block with its transactions; a made-up one has a coinbase that pays nobody."""
    transactions = _transactions(block)
    return {
        **header_answer(tree, block),
        "tx": [_shown(transaction.id) for transaction in transactions],
        "rawtx": [_transaction_answer(transaction) for transaction in transactions],
    }


def payments(block: ChainBlock) -> tuple[tuple[str, int], ...]:
    """Whom a block's coinbase pays, in atomic units."""
    return tuple(
        (shown_address(output.script), output.value)
        for output in _transactions(block)[0].outputs
        if output.value
    )


def _transactions(block: ChainBlock) -> tuple[Transaction, ...]:
    if not block.transactions:
        return (Transaction((), ()),)
    return tuple(read_transaction(encoded, 0)[0] for encoded in block.transactions)


def _transaction_answer(transaction: Transaction) -> dict[str, Any]:
    return {
        "txid": _shown(transaction.id),
        "vout": [
            {
                "value": output.value / UNITS_PER_PKT,
                "svalue": str(output.value),
                "n": number,
                "address": shown_address(output.script),
                "scriptPubKey": {
                    "hex": output.script.hex(),
                    "address": shown_address(output.script),
                },
            }
            for number, output in enumerate(transaction.outputs)
        ],
    }


def _shown(block_hash: bytes) -> str:
    return block_hash[::-1].hex()
