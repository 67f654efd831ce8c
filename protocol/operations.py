"""What each RandHash operation computes (spec 1 §3.1)."""

from collections.abc import Callable

from packetcrypt.protocol.opcodes import Opcode

_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF

Operation = Callable[[int, int], tuple[int, ...]]
"""(a, b) → result registers, low word first. Operands are unsigned, 32 or 64 bits by class."""


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) & 1 else value


def _lanes(value: int, width: int) -> list[int]:
    return [value >> shift & (1 << width) - 1 for shift in range(0, 32, width)]


def _joined(lanes: list[int], width: int) -> int:
    return sum((lane & (1 << width) - 1) << (i * width) for i, lane in enumerate(lanes))


def _words(value: int, count: int) -> tuple[int, ...]:
    return tuple(value >> (32 * i) & _M32 for i in range(count))


def _per_lane(width: int, lane: Callable[[int, int, int], int]) -> Operation:
    """One result of `width` bits from each lane of that width; `lane` takes (a, b, width)."""

    def operation(a: int, b: int) -> tuple[int, ...]:
        pairs = zip(_lanes(a, width), _lanes(b, width), strict=True)
        return (_joined([lane(x, y, width) for x, y in pairs], width),)

    return operation


def _widening(width: int, lane: Callable[[int, int, int], int]) -> Operation:
    """One result of twice the width from each lane: 64 bits, low word first."""

    def operation(a: int, b: int) -> tuple[int, ...]:
        pairs = zip(_lanes(a, width), _lanes(b, width), strict=True)
        return _words(_joined([lane(x, y, width) for x, y in pairs], 2 * width), 2)

    return operation


def _on_64(results: int, whole: Callable[[int, int, int], int]) -> Operation:
    """64-bit operands taken whole; `results` 32-bit words come out."""
    return lambda a, b: _words(whole(a, b, 64), results)


def _popcnt(a: int, _b: int, _w: int) -> int:
    return a.bit_count()


def _clz(a: int, _b: int, w: int) -> int:
    return w - a.bit_length()


def _ctz(a: int, _b: int, w: int) -> int:
    return (a & -a).bit_length() - 1 if a else w


def _bswap(a: int, _b: int, w: int) -> int:
    return int.from_bytes(a.to_bytes(w // 8, "little"), "big")


def _add(a: int, b: int, _w: int) -> int:
    return a + b


def _sub(a: int, b: int, _w: int) -> int:
    return a - b


def _shll(a: int, b: int, w: int) -> int:
    return a << b % w


def _shrl(a: int, b: int, w: int) -> int:
    return a >> b % w


def _shra(a: int, b: int, w: int) -> int:
    return _signed(a, w) >> b % w


def _rotl(a: int, b: int, w: int) -> int:
    return a << b % w | a >> (w - b % w)


def _rotr(a: int, b: int, w: int) -> int:
    return a >> b % w | a << (w - b % w)


def _mulu(a: int, b: int, _w: int) -> int:
    return a * b


def _mul(a: int, b: int, w: int) -> int:
    return _signed(a, w) * _signed(b, w)


def _mulsu(a: int, b: int, w: int) -> int:
    return _signed(a, w) * b


def _add_carry(a: int, b: int, _w: int) -> int:
    return (a + b & _M64) | (a + b >> 64) << 64


def _sub_borrow(a: int, b: int, _w: int) -> int:
    return (a - b & _M64) | (_M64 if a < b else 0) << 64


OPERATIONS: dict[Opcode, Operation] = {
    Opcode.BSWAP16: _per_lane(16, _bswap),
    Opcode.BSWAP32: _per_lane(32, _bswap),
    Opcode.AND: lambda a, b: (a & b,),
    Opcode.OR: lambda a, b: (a | b,),
    Opcode.XOR: lambda a, b: (a ^ b,),
    Opcode.ADD64: _on_64(2, _add),
    Opcode.SUB64: _on_64(2, _sub),
    Opcode.SHLL64: _on_64(2, _shll),
    Opcode.SHRL64: _on_64(2, _shrl),
    Opcode.SHRA64: _on_64(2, _shra),
    Opcode.ROTL64: _on_64(2, _rotl),
    Opcode.ROTR64: _on_64(2, _rotr),
    Opcode.MUL64: _on_64(2, _mulu),
    Opcode.ADD64C: _on_64(4, _add_carry),
    Opcode.SUB64C: _on_64(4, _sub_borrow),
    Opcode.MUL64C: _on_64(4, _mul),
    Opcode.MULSU64C: _on_64(4, _mulsu),
    Opcode.MULU64C: _on_64(4, _mulu),
}
for _width in (8, 16, 32):
    for _name, _lane in {
        "POPCNT": _popcnt,
        "CLZ": _clz,
        "CTZ": _ctz,
        "ADD": _add,
        "SUB": _sub,
        "SHLL": _shll,
        "SHRL": _shrl,
        "SHRA": _shra,
        "ROTL": _rotl,
        "MUL": _mulu,
    }.items():
        OPERATIONS[Opcode[f"{_name}{_width}"]] = _per_lane(_width, _lane)
    for _name, _lane in {
        "ADD": _add,
        "SUB": _sub,
        "MUL": _mul,
        "MULSU": _mulsu,
        "MULU": _mulu,
    }.items():
        OPERATIONS[Opcode[f"{_name}{_width}C"]] = _widening(_width, _lane)
