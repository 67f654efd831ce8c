"""What may be tuned to a device, and which values serve untuned ones.

`packetcrypt tune` tries others (engine/tuning.py). None of them changes what is computed.
"""

from dataclasses import dataclass, fields
from typing import Final, Self

from packetcrypt.protocol.errors import ConfigError

#: No value can sensibly be above it; a file that says otherwise is damaged.
_LIMIT: Final = 1 << 20


@dataclass(frozen=True)
class Tuning:
    """How the nonce search is cut for one device.

    batch      : nonces that a work-item (NumPy: a process) computes together
    work_items : work-items of a launch, each with its own slab of states (NumPy: processes)
    group_size : work-items of a work-group
    rounds     : batches of each work-item in the longest launch
    launches   : launches in flight: enqueued before the results of the first are taken

    Raises `ConfigError` for values that cannot be.
    """

    batch: int
    work_items: int
    group_size: int = 1
    rounds: int = 1
    launches: int = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or not 0 < value <= _LIMIT:
                raise ConfigError(
                    f"a tuning with {field.name} {value!r} is impossible: "
                    f"give whole numbers from 1 to {_LIMIT}"
                )
        if self.work_items % self.group_size:
            raise ConfigError(
                f"a tuning with {self.work_items} work-items in groups of {self.group_size} is "
                "impossible: give a multiple"
            )

    @classmethod
    def for_opencl_cpu(cls, cores: int) -> Self:
        """The more states a batch has, the better its groups match, until they take too much of the
        cache. A fast core (Zen 5) searches 18 batches in 17 ms; slower ones get shorter launches,
        because launches cannot be interrupted (engine/launch_size.py)."""
        return cls(batch=640, work_items=cores, rounds=18)

    @classmethod
    def for_gpu(cls, multiprocessors: int) -> Self:
        """Enough work-items to hide how long memory takes; each has 4.2 KB of states, which are
        interleaved within a work-group. Measured on no GPU yet."""
        return cls(batch=1, work_items=512 * multiprocessors, group_size=64, rounds=2)

    @classmethod
    def for_numpy(cls, cores: int) -> Self:
        """Long arrays hide what a NumPy call costs: with half of a batch it is 15 % slower."""
        return cls(batch=8192, work_items=cores, rounds=4)

    @property
    def quantum(self) -> int:
        """Launches of multiples of this many nonces give every work-item the same share."""
        return self.batch * self.work_items

    @property
    def max_launch(self) -> int:
        """Most nonces of one launch."""
        return self.quantum * self.rounds
