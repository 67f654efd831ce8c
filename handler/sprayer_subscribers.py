"""Who is sprayed at, and how much of it: subscriptions of the last 30 seconds.

The protocol has no handshake: a datagram with the right password subscribes the address it claims
to come from. So subscribers are few, and one whose host says that nobody listens there is dropped.
"""

import hmac
import logging
from dataclasses import dataclass

from packetcrypt.client.complaints import Complaints
from packetcrypt.client.udp import Address, Endpoint
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.sprayer_messages import EXPIRY_SECONDS, Subscription

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Subscriber:
    """An address that is sprayed at, and its share."""

    address: Address
    number: int
    share_count: int
    expires: float


class Subscribers:
    """The subscribers of one sprayer. Use in one thread.

    refused : subscriptions that were none, had a wrong password, or were too many
    """

    def __init__(self, password: str, limit: int) -> None:
        self.refused = 0
        self._password = _octets(password)
        self._limit = limit
        self._complaints = Complaints(_log)
        self._by_address: dict[Address, Subscriber] = {}

    @property
    def current(self) -> tuple[Subscriber, ...]:
        """Those who are sprayed at."""
        return tuple(self._by_address.values())

    def hear(self, datagram: bytes, sender: Address, now: float) -> None:
        """Takes a datagram as a subscription, or refuses it; it is never answered."""
        try:
            asked = Subscription.decode(datagram)
        except DecodeError as error:
            self._refuse("subscription", sender, str(error))
            return
        if not hmac.compare_digest(_octets(asked.password), self._password):
            self._refuse("password", sender, "it has another password than `passwd`")
            return
        is_new = sender not in self._by_address
        if is_new and len(self._by_address) >= self._limit:
            self._refuse("limit", sender, f"there are {self._limit} subscribers (max_subscribers)")
            return
        self._by_address[sender] = Subscriber(
            sender, asked.number, asked.share_count, now + EXPIRY_SECONDS
        )
        if is_new:  # said quietly: whoever knows the password can make it happen at any rate
            _log.debug(
                "sprayer: %s subscribed to share %d of %d",
                *(_name(sender), asked.number, asked.share_count),
            )

    def forget(self, address: Address) -> None:
        """Drops a subscriber where nobody listens; it may subscribe again."""
        if self._by_address.pop(address, None) is not None:
            _log.debug("sprayer: nobody listens any more at %s", _name(address))

    def expire(self, now: float) -> None:
        """Drops those who did not renew in time."""
        for subscriber in self.current:
            if subscriber.expires <= now:
                del self._by_address[subscriber.address]
                _log.debug("sprayer: %s did not renew its subscription", _name(subscriber.address))

    def _refuse(self, subject: str, sender: Address, reason: str) -> None:
        self.refused += 1
        self._complaints.report(
            (subject,), f"sprayer: a subscription from {_name(sender)} is refused: {reason}"
        )


def _octets(password: str) -> bytes:
    # JSON can say half a surrogate pair, which UTF-8 cannot.
    return password.encode("utf-8", "surrogatepass")


def _name(address: Address) -> str:
    return str(Endpoint(str(address[0]), int(address[1])))
