"""Several processes: what is theirs alone. See test_backend.py for what all backends do."""

from collections.abc import Iterator

import pytest
from numpy_jobs import JOBS, job_of, prepare, root_of, search_all

from packetcrypt.kernels.numpy.process_backend import NumpyProcessKernels, item_shares
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import DeviceError
from packetcrypt.protocol.primitives import h32

FIRST_NONCES = JOBS[0]["soft_nonces_first"]


@pytest.fixture(scope="module")
def kernels() -> Iterator[NumpyProcessKernels]:
    opened = NumpyProcessKernels(Tuning.for_numpy(3))
    yield opened
    opened.close()


@pytest.mark.parametrize("processes", [1, 2, 3, 7, 8, 64])
def test_every_item_is_made_once(processes: int) -> None:
    shares = item_shares(processes)
    assert len(shares) == min(processes, 8)
    assert [number for share in shares for number in share] == list(range(8192))


def test_a_known_job_with_three_processes(kernels: NumpyProcessKernels) -> None:
    case = JOBS[0]
    found = search_all(kernels, prepare(kernels, job_of(case)), case["searched_end"])
    assert h32(found.announcements.tobytes()).hex() == case["anns_blake2b_256"]


def test_a_search_goes_on_while_the_next_job_is_prepared(kernels: NumpyProcessKernels) -> None:
    first = prepare(kernels, job_of(JOBS[0]), 0)
    launch = kernels.search(first, 0, FIRST_NONCES[4] + 1)
    second = prepare(kernels, job_of(JOBS[1]), 1)
    count = JOBS[1]["soft_nonces_first"][4] + 1
    other = kernels.search(second, 0, count)
    assert launch.result().soft_nonces.tolist() == FIRST_NONCES[:5]
    assert other.result().soft_nonces.tolist() == JOBS[1]["soft_nonces_first"][:5]


def test_a_preparation_that_was_given_up_leaves_the_next_alone(
    kernels: NumpyProcessKernels,
) -> None:
    steps = kernels.prepare(job_of(JOBS[1]), 0)
    next(steps)
    steps.close()
    assert prepare(kernels, job_of(JOBS[0]), 0).root == root_of(JOBS[0])


def test_a_job_of_other_processes(kernels: NumpyProcessKernels) -> None:
    other = NumpyProcessKernels(Tuning(batch=256, work_items=2))
    prepared = prepare(kernels, job_of(JOBS[0]))
    with pytest.raises(DeviceError, match="no job prepared by these"):
        other.search(prepared, 0, 1)
    other.close()
