"""Which errors this package raises on purpose.

Every message says what was wrong, where, and what to do about it. Programs catch `PacketCryptError`
at their outermost edge, print the message and exit with the class's `exit_code`.
"""


class PacketCryptError(Exception):
    """Anything that this package refuses or cannot do."""

    exit_code = 1


class DecodeError(PacketCryptError, ValueError):
    """Bytes, JSON or text from outside that do not have the form the protocol asks for."""

    exit_code = 2


class ConfigError(PacketCryptError, ValueError):
    """A flag, a setting or a combination of them that cannot work."""

    exit_code = 2


class ProgramError(PacketCryptError):
    """A random program that breaks a RandHash limit (spec 1 §3: "too big", "too long").

    A miner skips the job; a validator answers `INVAL`.
    """


class DeviceError(PacketCryptError):
    """A device or its runtime is missing, unusable, or computed a wrong answer."""

    exit_code = 3


class PoolError(PacketCryptError):
    """A pool service did not answer, or answered something the protocol does not allow."""

    exit_code = 4
