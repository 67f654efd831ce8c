"""How often the log repeats what it has said already: once a minute, not with every attempt."""

import logging
import time

_REPEAT_SECONDS = 60.0


class Complaints:
    """Logs warnings of one kind; one that has not changed is held back for a minute."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last = ""
        self._logged_at = 0.0

    def log(self, complaint: str) -> None:
        """Logs the complaint if it is new, or was last logged a minute ago."""
        now = time.monotonic()
        if complaint != self._last or now - self._logged_at >= _REPEAT_SECONDS:
            self._logger.warning("%s", complaint)
            self._last, self._logged_at = complaint, now
