"""What is in a block of the chain, and whom it pays, as a node tells it (spec 2 "getblock")."""

from dataclasses import dataclass
from typing import Final

from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import I32_MAX, JsonFields

UNITS_PER_PKT: Final = 1 << 30

_HASH_SIZE: Final = 32
_MAX_DIGITS: Final = 19


@dataclass(frozen=True)
class Payment:
    """An output that is worth something.

    address : as the node shows it; "script:" and base64 if the output has no address
    value   : in atomic units, `UNITS_PER_PKT` a coin
    """

    address: str
    value: int


@dataclass(frozen=True, kw_only=True)
class BlockPayments:
    """A block, as far as payment goes. Hashes are in internal byte order.

    transaction_ids : the coinbase's first
    payments        : of the coinbase, in its order. One address may be in several of them; outputs
                      worth nothing, as the commitment's, are left out
    """

    hash: bytes
    height: int
    transaction_ids: tuple[bytes, ...]
    payments: tuple[Payment, ...]

    @classmethod
    def decode(cls, fields: JsonFields) -> "BlockPayments":
        """Reads getblock's answer with its transactions; DecodeError names what is not as it should
        be."""
        transactions = fields.objects("rawtx")
        if not transactions:
            raise DecodeError('the answer: field "rawtx" has no coinbase')
        payments = (_payment(output) for output in transactions[0].objects("vout"))
        return cls(
            hash=fields.hex_bytes("hash", _HASH_SIZE)[::-1],
            height=fields.integer("height", 0, I32_MAX),
            transaction_ids=tuple(
                transaction.hex_bytes("txid", _HASH_SIZE)[::-1] for transaction in transactions
            ),
            payments=tuple(payment for payment in payments if payment.value),
        )


def _payment(output: JsonFields) -> Payment:
    # "value" is rounded to a double; "svalue" is exact.
    digits = output.text("svalue")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > _MAX_DIGITS:
        raise DecodeError(f'an output: field "svalue" must be a whole number, got {digits[:60]!r}')
    return Payment(output.text("address"), int(digits))
