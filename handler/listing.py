"""Whether the master lists a handler, without which no miner comes to it."""

import logging
from collections.abc import Sequence

from packetcrypt.client.complaints import Complaints
from packetcrypt.handler.settings import HandlerSettings

_log = logging.getLogger(__name__)


class Listing:
    """Looks for one handler in the master's list of its kind, and complains while it is not there.

    consequence : what it means not to be listed, for the complaint
    """

    def __init__(self, settings: HandlerSettings, consequence: str) -> None:
        self._settings = settings
        self._consequence = consequence
        self._complaints = Complaints(_log)

    def number_in(self, urls: Sequence[str]) -> int | None:
        """The handler's place in the list; None if it has none."""
        wanted = self._settings.submit_url
        stripped = [url.rstrip("/") for url in urls]
        if wanted in stripped:
            self._complaints.resolve(("listed",), "the master lists this handler now")
            return stripped.index(wanted)
        self._complaints.report(
            ("listed",),
            f"the master {self._settings.pool.master_url} does not list this handler, so that "
            f"{self._consequence}: its {self._settings.MASTERS_LIST} must contain {wanted} "
            f"(this handler's public_url and /submit), but are {', '.join(urls) or 'empty'}",
        )
        return None
