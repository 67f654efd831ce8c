"""Which metrics there are of a sprayer, one of its own or a handler's."""

from packetcrypt.handler.sprayer_service import RunningSprayer
from packetcrypt.operations.metrics import Metric, Readings, counter, gauge


def sprayer_metrics(prefix: str) -> tuple[Metric, ...]:
    """Their names begin with `prefix`. What is received is missing if nothing is subscribed to."""
    return (
        counter(
            f"{prefix}_taken_total",
            "Announcements that came to be sprayed while there was somebody to spray at.",
        ),
        counter(
            f"{prefix}_dropped_total",
            "Announcements that gave way to newer ones before they were sprayed: the pace or the "
            "network is too slow for what comes.",
        ),
        counter(
            f"{prefix}_sent_total",
            "Announcements handed to the network, for all receivers together.",
        ),
        counter(f"{prefix}_failed_total", "Announcements that the network refused to send."),
        counter(
            f"{prefix}_subscriptions_refused_total",
            "Subscriptions refused, for a wrong password or because max_subscribers are there.",
        ),
        gauge(f"{prefix}_receivers", "Sprayed at now: subscribers, and addresses of spray_at."),
        counter(f"{prefix}_received_total", "Announcements received from other sprayers."),
        counter(
            f"{prefix}_known_total",
            "Announcements received that had been sprayed before, and are not passed on again.",
        ),
        counter(
            f"{prefix}_received_dropped_total",
            "Announcements received that were dropped because they were not passed on in time.",
        ),
        gauge(
            f"{prefix}_received_lost",
            "Announcements lost on the way from other sprayers since the start, estimated from "
            "gaps in their counters; late ones make it smaller.",
        ),
        counter(
            f"{prefix}_wrong_source_total",
            "Datagrams from senders that nothing was subscribed to at.",
        ),
        counter(f"{prefix}_malformed_total", "Datagrams that held no whole announcements."),
    )


def sprayer_readings(prefix: str, sprayer: RunningSprayer) -> Readings:
    """What these are now."""
    sprayed, received = sprayer.statistics()
    readings = {
        f"{prefix}_taken_total": sprayed.taken,
        f"{prefix}_dropped_total": sprayed.dropped,
        f"{prefix}_sent_total": sprayed.sent,
        f"{prefix}_failed_total": sprayed.failed,
        f"{prefix}_subscriptions_refused_total": sprayed.refused,
        f"{prefix}_receivers": sprayed.receivers,
    }
    if received is not None:
        readings |= {
            f"{prefix}_received_total": received.received,
            f"{prefix}_known_total": sprayer.known,
            f"{prefix}_received_dropped_total": received.dropped,
            f"{prefix}_received_lost": received.lost,
            f"{prefix}_wrong_source_total": received.wrong_source,
            f"{prefix}_malformed_total": received.malformed,
        }
    return readings
