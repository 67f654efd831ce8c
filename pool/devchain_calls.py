"""Which calls a development chain carries out, and in which form they come and are answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from packetcrypt.pool.devchain_answers import block_answer, header_answer
from packetcrypt.pool.devchain_node import DevchainNode
from packetcrypt.pool.devchain_rules import Rejected
from packetcrypt.pool.devchain_statistics import DevchainStatistics, ShareOutcome
from packetcrypt.pool.devchain_tree import ChainBlock
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.validation import AnnouncementCheck

MISC: Final = -1
NO_BLOCK: Final = -5
UNREADABLE: Final = -22
NO_METHOD: Final = -32601
NO_PARAMETERS: Final = -32602

_OTHER: Final = "other"
"""what calls are counted as that there are not: clients make names up"""

Call = Callable[[Sequence[Any]], Awaitable[Any]]


class CallError(Exception):
    """A call that is answered with an error: its code, and a message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class DevchainCalls:
    """The calls of one node, by name.

    on_mined : told every block that was submitted and accepted
    """

    def __init__(
        self,
        node: DevchainNode,
        on_mined: Callable[[ChainBlock], None],
        statistics: DevchainStatistics,
    ) -> None:
        self._node = node
        self._on_mined = on_mined
        self._statistics = statistics
        self._calls: dict[str, Call] = {
            "getbestblockhash": self._best_block_hash,
            "getblockheader": self._block_header,
            "getblock": self._block,
            "getrawblocktemplate": self._template,
            "checkpcshare": self._check_share,
            "submitblock": self._submit_block,
            "configureminingpayouts": self._configure_payouts,
            "checkpcann": self._check_announcement,
            "devchain_addblock": self._add_block,
        }

    async def answer(self, method: str, parameters: Sequence[Any]) -> Any:
        """The call's result, for JSON; raises `CallError`."""
        label = method if method in self._calls else _OTHER
        has_result = False
        try:
            result = await self._answer(method, parameters)
            has_result = True
            return result
        finally:
            self._statistics.calls[label, has_result] += 1

    async def _answer(self, method: str, parameters: Sequence[Any]) -> Any:
        call = self._calls.get(method)
        if call is None:
            raise CallError(
                NO_METHOD, f"Method not found: {method}; there are {', '.join(self._calls)}"
            )
        try:
            return await call(parameters)
        except Rejected as rejected:
            raise CallError(MISC, str(rejected)) from rejected
        except DecodeError as error:
            raise CallError(UNREADABLE, str(error)) from error

    async def _best_block_hash(self, parameters: Sequence[Any]) -> str:
        _take(parameters, "")
        return self._node.tree.tip.hash[::-1].hex()

    async def _block_header(self, parameters: Sequence[Any]) -> dict[str, Any]:
        return header_answer(self._node.tree, self._asked_block(parameters))

    async def _block(self, parameters: Sequence[Any]) -> dict[str, Any]:
        return block_answer(self._node.tree, self._asked_block(parameters))

    async def _template(self, parameters: Sequence[Any]) -> dict[str, Any]:
        _take(parameters, "")
        template = self._node.template()
        return {
            "height": template.height,
            "header": template.header.encode().hex(),
            "coinbase_no_witness": template.coinbase_no_witness.hex(),
            "merklebranch": [sibling.hex() for sibling in template.merkle_branch],
            "transactions": [one.hex() for one in template.transactions],
        }

    async def _check_share(self, parameters: Sequence[Any]) -> str:
        (request,) = _take(parameters, "SHARE")
        outcome = ShareOutcome.REFUSED
        try:
            is_block = await self._node.check_share(JsonFields(request, "the share"))
            outcome = ShareOutcome.BLOCK if is_block else ShareOutcome.OK
        finally:
            self._statistics.shares[outcome] += 1
        return "RESUBMIT_AS_BLOCK" if is_block else "OK"

    async def _submit_block(self, parameters: Sequence[Any]) -> str | None:
        data = JsonFields({"block": _take(parameters, "BLOCK")[0]}, "submitblock")
        try:
            # Whoever hangs up must not stop a block half way onto the disk.
            block = await asyncio.shield(self._node.submit_block(data.hex_bytes("block")))
        except Rejected as rejected:
            self._statistics.refused += 1
            return str(rejected)
        except DecodeError:
            self._statistics.refused += 1
            raise
        self._on_mined(block)
        return None

    async def _configure_payouts(self, parameters: Sequence[Any]) -> None:
        await asyncio.shield(self._node.configure_payouts(_take(parameters, "PAYOUTS")[0]))

    async def _check_announcement(self, parameters: Sequence[Any]) -> dict[str, str]:
        announcement, _, parent_hash = _take(parameters, "ANNOUNCEMENT PROOF_VERSION PARENT_HASH")
        fields = JsonFields({"ann": announcement, "parent": parent_hash}, "checkpcann")
        checked = await self._node.check_announcement(
            fields.hex_bytes("ann"), fields.hex_bytes("parent", 32)[::-1]
        )
        if checked.result is not AnnouncementCheck.OK or checked.work_hash is None:
            raise CallError(MISC, f"Validate_checkAnn_{checked.result.name}")
        return {"workhash": checked.work_hash[::-1].hex()}

    async def _add_block(self, parameters: Sequence[Any]) -> str:
        previous_hash = _hash_of(parameters[0]) if parameters else None
        block = await asyncio.shield(self._node.add_made_up(previous_hash))
        return block.hash[::-1].hex()

    def _asked_block(self, parameters: Sequence[Any]) -> ChainBlock:
        """The block that a call names first; what may follow says that it is told as JSON."""
        if not parameters or not all(flag is True or flag == 1 for flag in parameters[1:3]):
            raise CallError(
                NO_PARAMETERS, "give a block's hash, and true: blocks are told as JSON only"
            )
        block = self._node.tree.get(_hash_of(parameters[0]))
        if block is None:
            raise CallError(NO_BLOCK, "Block not found")
        return block


def _hash_of(value: Any) -> bytes:
    """A hash in display order."""
    return JsonFields({"hash": value}, "the call").hex_bytes("hash", 32)[::-1]


def _take(parameters: Sequence[Any], names: str) -> Sequence[Any]:
    """As many parameters as there are names."""
    if len(parameters) != len(names.split()):
        raise CallError(NO_PARAMETERS, f"it takes {names or 'no parameters'}")
    return parameters
