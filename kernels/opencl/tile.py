"""How many items or states a work-item takes together, and where it keeps them."""

from dataclasses import dataclass
from typing import Final

from packetcrypt.kernels.opencl.context import DeviceTraits

#: On a CPU enough that looking at an instruction costs little, few enough that what a random
#: program works on stays near the L1 cache. Measured with 16, 32 and 64 items, ms a table: 70, 60,
#: 140 on Zen 3; with 32 and 64, ms a job: 41, 39 on Zen 5, which has half as much L1 again.
_CPU_BUNDLE: Final = 32

#: On a CPU enough that groups of crypt are of one kind and similar length. Measured on Zen 5, ms a
#: job: 32: 9.8, 64: 7.3, 128: 6.4; but checks of few announcements should still occupy all cores.
_CPU_TILE: Final = 64

#: Room around a state that is crypted alone (STATE_MARGIN of cryptocycle.cl).
_LONE_MARGIN: Final = 64

_LEAST_HASH_LANES: Final = 4

_GPU_GROUP_SIZE: Final = 64


@dataclass(frozen=True)
class BundleLayout:
    """Items that one work-item runs a random program for; see randhash_run.cl.

    items   : how many
    pitch   : words from one word of registers or input to the next
    vectors : whether items share vectors
    """

    items: int
    pitch: int
    vectors: bool

    @classmethod
    def of(cls, traits: DeviceTraits) -> "BundleLayout":
        """For a device: on GPUs one item, with those of the neighbours at its side."""
        if traits.lanes == 1:
            return cls(1, pitch=_GPU_GROUP_SIZE, vectors=False)
        return cls(_CPU_BUNDLE, pitch=_CPU_BUNDLE, vectors=True)

    @classmethod
    def single(cls) -> "BundleLayout":
        """One item by itself on a CPU: twice as fast as one in vectors (measured on Zen 3)."""
        return cls(1, pitch=1, vectors=False)

    @property
    def neighbours(self) -> int:
        """Work-items whose scratch memory is interleaved."""
        return self.pitch // self.items

    @property
    def defines(self) -> dict[str, int | str]:
        """For the compiler."""
        group: dict[str, int | str] = {} if self.vectors else {"GROUP": 1}
        return {"BUNDLE": self.items, "PITCH": self.pitch, **group}


@dataclass(frozen=True)
class TileLayout:
    """States that one work-item crypts; tile_layout.cl is told of it by `defines`.

    items      : states of a tile; one more, which fills up groups, follows them
    states_at  : bytes before the first state, at least what crypt may read there
    stride     : bytes from one state to the next; 33 cache lines spread them over the cache's sets
    """

    items: int
    states_at: int = 1600
    stride: int = 2112

    @classmethod
    def of(cls, traits: DeviceTraits) -> "TileLayout":
        """The tile for a device: on GPUs every work-item has one state."""
        return cls(1, states_at=_LONE_MARGIN) if traits.lanes == 1 else cls(_CPU_TILE)

    @property
    def states_end(self) -> int:
        """Bytes up to the end of the last state."""
        return self.states_at + (self.items + 1) * self.stride

    @property
    def space(self) -> int:
        """Bytes of a space for the states alone, with the same room behind as before them."""
        return self.states_end + self.states_at

    @property
    def defines(self) -> dict[str, int | str]:
        """For the compiler."""
        return {
            "TILE": self.items,
            "STATES_AT": self.states_at,
            "STATE_STRIDE": self.stride,
            "TILE_SPACE": self.space,
        }


def launch_shape(traits: DeviceTraits, work_items: int) -> tuple[tuple[int], tuple[int]]:
    """Global and local size of a launch of so many work-items; the kernel ignores those beyond.

    The local size is always the same, because PoCL compiles a kernel anew for every other one.
    """
    group = 1 if traits.is_cpu else _GPU_GROUP_SIZE
    return (-(-work_items // group) * group,), (group,)


def hashing_work_items(traits: DeviceTraits, messages: int) -> int:
    """Work-items that hash so many messages, HASH_LANES (blake2b.cl) each.

    Only the compiler knows the vector width; with the widest, half of them find nothing to do.
    """
    return messages if traits.lanes == 1 else -(-messages // _LEAST_HASH_LANES)
