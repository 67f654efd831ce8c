"""What can be set about a sprayer, with its defaults and the reasons for them."""

from dataclasses import dataclass, field

from packetcrypt.client.subscription_settings import SubscriptionSettings, check_ports
from packetcrypt.client.udp import Endpoint
from packetcrypt.handler.listen_address import listen_address
from packetcrypt.protocol.errors import ConfigError
from packetcrypt.protocol.sprayer_messages import (
    MAX_DATAGRAM,
    MAX_RECORDS,
    RECORD_SIZE,
    USUAL_DATAGRAM,
)


@dataclass(frozen=True, kw_only=True)
class SprayerSettings:
    """One sprayer: the table `[sprayer.NAME]`, or `[ann_handler.NAME.sprayer]`, of pool.toml.

    passwd              : what subscribers must know; "" sprays at everybody who asks, whose address
                          may be forged. No default, so that this is a decision
    bind                : "address:port" to take subscriptions at and to spray from
    spray_at            : "host:port" of those who are sprayed at without asking; may be multicast
                          groups, reached through the interface of `bind`
    subscribe           : "host:port" of sprayers whose announcements are passed on, once each
    subscribe_passwd    : theirs
    subscribe_bind      : "address:port" to receive them at; port 0 lets the system choose
    mcast               : "group:port" of an IPv4 multicast group that is passed on too
    metrics_bind        : "address:port" (TCP) where /health and /metrics answer; "": nowhere. For a
                          sprayer of its own: a handler's is in the handler's answers
    max_datagram        : payload bytes of a datagram to another host; 1472 pass an Ethernet whole
    max_local_datagram  : the same to this host, whose loopback carries 63 records whole
    max_subscribers     : each costs the bandwidth of everything that is sprayed
    max_rate            : announcements a second to each; 200 000 are 1.7 Gbit/s
    burst               : announcements to each without a pause. 126 are 140 KiB of a receive buffer
                          of 208 KiB, which is what Linux gives unasked
    queue_len           : announcements of 1 KiB that wait to be sprayed; the oldest are dropped
    statistics_interval : seconds between two log lines of statistics
    """

    passwd: str = field(repr=False)
    bind: str = "0.0.0.0:6666"
    spray_at: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    subscribe_passwd: str = field(default="", repr=False)
    subscribe_bind: str = "0.0.0.0:0"
    mcast: str = ""
    metrics_bind: str = ""
    max_datagram: int = USUAL_DATAGRAM
    max_local_datagram: int = MAX_DATAGRAM
    max_subscribers: int = 64
    max_rate: int = 200_000
    burst: int = 2 * MAX_RECORDS
    queue_len: int = 65536
    statistics_interval: float = 10.0

    def __post_init__(self) -> None:
        for name in ("max_subscribers", "max_rate", "queue_len"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} = {getattr(self, name)} cannot work: give 1 or more")
        if not 1 <= self.burst <= 1 << 16:
            raise ConfigError(f"burst = {self.burst} cannot work: give 1 to 65536")
        for name in ("max_datagram", "max_local_datagram"):
            if not RECORD_SIZE <= getattr(self, name) <= 65507:
                raise ConfigError(
                    f"{name} = {getattr(self, name)} cannot work: give {RECORD_SIZE}, the bytes "
                    "of one record, to 65507, those of the longest datagram"
                )
        if not 0 < self.statistics_interval < 1e9:
            raise ConfigError(
                f"statistics_interval = {self.statistics_interval} cannot work: give seconds, "
                "more than 0"
            )
        self._check_endpoints()
        if self.metrics_bind:
            listen_address(self.metrics_bind, "metrics_bind")

    @property
    def bind_endpoint(self) -> Endpoint:
        """`bind`, read."""
        return Endpoint.parse(self.bind, 0)

    @property
    def fixed(self) -> tuple[Endpoint, ...]:
        """`spray_at`, read."""
        return tuple(Endpoint.parse(text) for text in self.spray_at)

    @property
    def subscription(self) -> SubscriptionSettings | None:
        """What is received and passed on; None if nothing is."""
        if not self.subscribe and not self.mcast:
            return None
        return SubscriptionSettings(
            sprayers=tuple(Endpoint.parse(text) for text in self.subscribe),
            password=self.subscribe_passwd,
            bind=self._receiving,
            group=Endpoint.parse(self.mcast) if self.mcast else None,
            queue_capacity=self.queue_len,
        )

    @property
    def _receiving(self) -> Endpoint:
        return Endpoint.parse(self.subscribe_bind, 0)

    def _check_endpoints(self) -> None:
        for name, read in (
            ("bind", lambda: self.bind_endpoint),
            ("spray_at", lambda: self.fixed),
            ("subscribe_bind", lambda: check_ports(self._receiving, SubscriptionSettings.shares)),
            ("subscribe", lambda: [Endpoint.parse(text) for text in self.subscribe]),
            ("mcast", lambda: self.mcast and self.subscription),
        ):
            try:
                read()
            except ConfigError as error:
                raise ConfigError(f"{name} = {_shown(getattr(self, name))}: {error}") from error


def _shown(value: str | tuple[str, ...]) -> str:
    return f'"{value}"' if isinstance(value, str) else str(list(value)).replace("'", '"')
