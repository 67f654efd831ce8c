"""Which hard nonce a job gets, so that no two workers and no two runs mine the same job."""

import secrets
from collections.abc import Iterator

_HARD_NONCES = 1 << 32


class HardNonces:
    """Deals hard nonces to the workers of one engine.

    Worker i of n gets start + i, start + i + n, start + i + 2n, … modulo 2^32. The start is random,
    because a restarted miner, or another machine of the same owner, mines for the same block and
    key. A run would have to mine 2^32 / n jobs a worker before it repeated one.
    """

    def __init__(self, workers: int, start: int | None = None) -> None:
        self._workers = workers
        self._start = secrets.randbelow(_HARD_NONCES) if start is None else start

    def of_worker(self, worker: int) -> Iterator[int]:
        """The hard nonces of worker `worker` (from 0), without end."""
        nonce = self._start + worker
        while True:
            yield nonce % _HARD_NONCES
            nonce += self._workers
