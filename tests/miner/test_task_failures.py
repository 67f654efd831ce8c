"""The failure that is told is the first one."""

from packetcrypt.miner.task_failures import first_failure


def test_the_first_inside_nested_groups() -> None:
    first, other = ValueError("first"), KeyError("other")
    inner = ExceptionGroup("inner", [first, other])
    assert first_failure(ExceptionGroup("outer", [inner, other])) is first
