"""What all tests of the handler share."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from handler_setup import Loopback, loopback


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Loopback]:
    """A handler, its master and its paymaker on loopback, with the plain checker."""
    async with loopback(tmp_path) as pool:
        yield pool


@pytest.fixture(autouse=True)
def _no_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO)
    yield
    with_traceback = [
        f"{record.name}: {record.getMessage()}"
        for phase in ("setup", "call", "teardown")
        for record in caplog.get_records(phase)
        if record.exc_info is not None
    ]
    assert with_traceback == []
