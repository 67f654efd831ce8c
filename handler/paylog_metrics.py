"""Which metrics all handlers have of their pay logs."""

from packetcrypt.handler.paylog_upload import PayLogUpload
from packetcrypt.operations.metrics import Metric, Readings, Value, counter, gauge


def paylog_metrics(service: str) -> tuple[Metric, ...]:
    """Of the pay logs of one handler."""
    return (
        gauge(
            f"packetcrypt_{service}_paylogs_waiting",
            "Pay logs that are closed and that the paymaker has not confirmed yet.",
        ),
        gauge(
            f"packetcrypt_{service}_paylogs_waiting_since_timestamp_seconds",
            "When the oldest pay log that waits got its last event, since 1970; missing if none "
            "waits.",
        ),
        counter(
            f"packetcrypt_{service}_paylogs_uploaded_total",
            "Pay logs that the paymaker has confirmed.",
        ),
        counter(
            f"packetcrypt_{service}_paylog_failures_total",
            "Rounds of uploading that ended with an error; what waits is tried again.",
        ),
    )


def paylog_readings(service: str, upload: PayLogUpload) -> Readings:
    """What these are now."""
    readings: dict[str, Value] = {
        f"packetcrypt_{service}_paylogs_waiting": upload.waiting,
        f"packetcrypt_{service}_paylogs_uploaded_total": upload.uploaded,
        f"packetcrypt_{service}_paylog_failures_total": upload.failed,
    }
    if upload.oldest_at is not None:
        since = f"packetcrypt_{service}_paylogs_waiting_since_timestamp_seconds"
        readings[since] = upload.oldest_at
    return readings
