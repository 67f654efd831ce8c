"""What the sprayer's datagrams look like (spec 2 "Ann Handler → block miners").

A subscriber sends a JSON object every 5 s:

    {"yes_please_dos_me_passwd": "<password>", "num": 0, "count": 1}

and is sent datagrams of whole records, each a counter and an announcement, until 30 s pass without
renewal. The counter numbers what the sender sprays, one after another, whoever is sent what. With
`count` above 1 a subscriber asks for one share of it: the records whose counter leaves `num` when
divided by `count`. Existing sprayers do not look at the two numbers and send everything.
"""

import json
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields

RENEWAL_SECONDS = 5.0
EXPIRY_SECONDS = 30.0
MAX_RECORDS = 63
"""records of the longest datagram: 65 016 bytes; one more does not fit UDP's 65 507"""
USUAL_DATAGRAM = 1472
"""bytes of payload that pass an Ethernet unfragmented"""
MAX_SHARES = 64
SUBSCRIPTION_LIMIT = 512
"""bytes of a subscription that are read; anything longer is none"""

RECORD_DTYPE = np.dtype([("counter", "<u8"), ("announcement", "u1", (ANNOUNCEMENT_SIZE,))])
RECORD_SIZE = RECORD_DTYPE.itemsize
MAX_DATAGRAM = MAX_RECORDS * RECORD_SIZE

_PASSWORD = "yes_please_dos_me_passwd"


@dataclass(frozen=True)
class Subscription:
    """A wish to be sprayed at, with share `number` of `share_count`."""

    password: str = field(repr=False)
    number: int = 0
    share_count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.share_count <= MAX_SHARES:
            raise DecodeError(
                f"share {self.number} of {self.share_count} does not exist: shares are counted "
                f"from 0, and there are 1 to {MAX_SHARES}"
            )

    def encode(self) -> bytes:
        """The datagram."""
        return json.dumps(
            {_PASSWORD: self.password, "num": self.number, "count": self.share_count}
        ).encode()

    @classmethod
    def decode(cls, datagram: bytes) -> Self:
        """Reads a datagram; DecodeError says why it is no subscription."""
        what = "sprayer subscription"
        if len(datagram) > SUBSCRIPTION_LIMIT:
            raise DecodeError(f"{what}: longer than {SUBSCRIPTION_LIMIT} bytes")
        fields = JsonFields.parse(datagram, what)
        return cls(
            fields.text(_PASSWORD),
            fields.integer("num", 0, MAX_SHARES - 1),
            fields.integer("count", 1, MAX_SHARES),
        )


def decode_records(datagram: npt.NDArray[np.uint8]) -> npt.NDArray[np.void]:
    """The records of (n,) uint8: a view of `RECORD_DTYPE`; DecodeError if they are not whole ones.

    Of one datagram, or of several put together, as a receiving kernel may do.
    """
    if not len(datagram) or len(datagram) % RECORD_SIZE:
        raise DecodeError(
            f"sprayer datagram of {len(datagram)} bytes: expected whole records of {RECORD_SIZE}"
        )
    return datagram.view(RECORD_DTYPE)


def records_per_datagram(max_datagram: int) -> int:
    """How many records fit into a datagram of so many bytes of payload; 0 if none does."""
    return min(max_datagram // RECORD_SIZE, MAX_RECORDS)
