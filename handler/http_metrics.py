"""Which metrics all services with HTTP clients have."""

from packetcrypt.handler.listeners import HttpListeners
from packetcrypt.operations.metrics import Metric, Readings, counter, gauge


def http_metrics(service: str) -> tuple[Metric, ...]:
    """Of the connections to one service."""
    return (
        gauge(f"packetcrypt_{service}_connections", "Open HTTP connections."),
        counter(
            f"packetcrypt_{service}_connections_refused_total",
            "Connections closed at once because max_connections were open.",
        ),
    )


def http_readings(service: str, http: HttpListeners) -> Readings:
    """What these are now."""
    return {
        f"packetcrypt_{service}_connections": http.connections,
        f"packetcrypt_{service}_connections_refused_total": http.refused,
    }
