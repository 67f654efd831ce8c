"""What a sprayer has done so far, and the log line that says so."""

from dataclasses import dataclass

from packetcrypt.protocol.sprayer_messages import RECORD_SIZE


@dataclass(frozen=True)
class SprayerStatistics:
    """Counters since the start.

    taken     : announcements given to it while there was somebody to spray at
    dropped   : of these, how many had to give way to newer ones before they were sprayed
    sent      : records handed to the kernel, for all receivers together
    failed    : records that the kernel refused
    refused   : subscriptions refused
    receivers : sprayed at now: subscribers, and fixed addresses
    """

    taken: int
    dropped: int
    sent: int
    failed: int
    refused: int
    receivers: int

    def line(self, before: "SprayerStatistics", seconds: float) -> str:
        """What happened since `before`, `seconds` ago, e.g.

        "sprayer: taken 5120 (512/s) dropped 0; sent 10240 to 2 (8.5 Mb/s) failed 0; refused 0"
        """
        taken = self.taken - before.taken
        sent = self.sent - before.sent
        return (
            f"sprayer: taken {taken} ({taken / seconds:.0f}/s) "
            f"dropped {self.dropped - before.dropped}; sent {sent} to {self.receivers} "
            f"({sent * RECORD_SIZE * 8 / seconds / 1e6:.1f} Mb/s) "
            f"failed {self.failed - before.failed}; refused {self.refused - before.refused}"
        )
