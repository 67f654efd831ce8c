"""Which decoded programs are at hand: generating one costs milliseconds, so jobs share them."""

from collections import OrderedDict

from packetcrypt.kernels.program import DecodedProgram, decode
from packetcrypt.protocol.errors import ProgramError
from packetcrypt.protocol.randhash import RandProgram


class ProgramCache:
    """The decoded programs of the seeds asked for last. Used by one thread."""

    def __init__(self, size: int = 1024) -> None:
        """size : programs kept, about 16 KiB each"""
        self._size = size
        self._programs: OrderedDict[bytes, DecodedProgram | None] = OrderedDict()

    def get(self, seed: bytes) -> DecodedProgram | None:
        """The program of a 32-byte seed, or None if that program is too big (spec 1 §3.2)."""
        if seed in self._programs:
            self._programs.move_to_end(seed)
            return self._programs[seed]
        program: DecodedProgram | None
        try:
            program = decode(RandProgram.generate(seed))
        except ProgramError:
            program = None
        self._programs[seed] = program
        if len(self._programs) > self._size:
            self._programs.popitem(last=False)
        return program
