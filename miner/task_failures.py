"""Which of the failures of a task group is the one to tell."""


def first_failure(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first one inside nested groups: the others are consequences or equals of it."""
    first = failures.exceptions[0]
    return first_failure(first) if isinstance(first, BaseExceptionGroup) else first
