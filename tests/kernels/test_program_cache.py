"""Programs are decoded once, as long as the cache remembers them."""

from packetcrypt.kernels.program import decode
from packetcrypt.kernels.program_cache import ProgramCache
from packetcrypt.protocol.randhash import RandProgram

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in range(3))


def test_a_program_is_decoded_once() -> None:
    cache = ProgramCache()
    program = cache.get(FIRST)
    assert program is not None
    assert (program.records == decode(RandProgram.generate(FIRST)).records).all()
    assert cache.get(FIRST) is program


def test_the_program_not_asked_for_longest_is_forgotten() -> None:
    cache = ProgramCache(size=2)
    first, second = cache.get(FIRST), cache.get(SECOND)
    assert cache.get(FIRST) is first
    cache.get(THIRD)
    assert cache.get(FIRST) is first
    assert cache.get(SECOND) is not second
