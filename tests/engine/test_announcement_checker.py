"""The checker as embedders use it: verdicts, threads, limits, failures."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from vector_files import load_vectors

from packetcrypt.engine import check_requests
from packetcrypt.engine.announcement_checker import AnnouncementChecker
from packetcrypt.engine.check_requests import CheckerOverloaded
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.opening import open_kernels
from packetcrypt.kernels.interface import (
    AnnouncementKernels,
    CheckedAnnouncements,
    SearchLaunch,
)
from packetcrypt.protocol.announcement import dedup_key
from packetcrypt.protocol.errors import DecodeError, DeviceError
from packetcrypt.protocol.validation import AnnouncementCheck

JOBS = load_vectors("ann_jobs")["jobs"]
ANNOUNCEMENTS = [bytes.fromhex(entry["bytes"]) for job in JOBS for entry in job["anns"]]
WORK_HASHES = [entry["work_hash"] for job in JOBS for entry in job["anns"]]
PARENTS = [bytes.fromhex(job["parent_block_hash"]) for job in JOBS for _ in job["anns"]]


def rows(values: list[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)


@pytest.fixture(scope="module")
def checker() -> Iterator[AnnouncementChecker]:
    with AnnouncementChecker("cpu") as opened:
        yield opened


def test_good_announcements_of_several_jobs_are_good(checker: AnnouncementChecker) -> None:
    checked = checker.check(rows(ANNOUNCEMENTS), rows(PARENTS))

    assert checked.results.tolist() == [AnnouncementCheck.OK] * len(ANNOUNCEMENTS)
    assert [row.tobytes().hex() for row in checked.work_hashes] == WORK_HASHES
    assert checked.keys.tolist() == [dedup_key(announcement) for announcement in ANNOUNCEMENTS]


def test_one_parent_may_serve_for_all(checker: AnnouncementChecker) -> None:
    of_first_job = sum(parent == PARENTS[0] for parent in PARENTS)

    results = checker.check(rows(ANNOUNCEMENTS), PARENTS[0]).results.tolist()

    assert results[:of_first_job] == [AnnouncementCheck.OK] * of_first_job
    assert AnnouncementCheck.OK not in results[of_first_job:]


def test_none_are_none(checker: AnnouncementChecker) -> None:
    assert len(checker.check(np.empty((0, 1024), np.uint8), PARENTS[0]).results) == 0


def test_threads_may_ask_at_once(checker: AnnouncementChecker) -> None:
    def check(number: int) -> bool:
        parent = PARENTS[number]
        (result,) = checker.check(rows([ANNOUNCEMENTS[number]]), parent).results
        return bool(result == AnnouncementCheck.OK)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(check, range(len(ANNOUNCEMENTS))))


async def test_asyncio_programs_await_a_future(checker: AnnouncementChecker) -> None:
    future = checker.submit(rows(ANNOUNCEMENTS[:1]), PARENTS[0])

    checked = await asyncio.wrap_future(future)

    assert checked.results.tolist() == [AnnouncementCheck.OK]


@pytest.mark.parametrize(
    ("announcements", "parents", "message"),
    [
        (np.zeros((2, 1023), np.uint8), bytes(32), r"shape \(2, 1023\)"),
        (np.zeros(1024, np.uint8), bytes(32), r"shape \(1024,\)"),
        (np.zeros((2, 1024), np.int8), bytes(32), "int8"),
        (np.zeros((2, 1024), np.uint8), bytes(31), "31 bytes"),
        (np.zeros((2, 1024), np.uint8), np.zeros((2, 31), np.uint8), r"\(2, 31\)"),
        (np.zeros((2, 1024), np.uint8), np.zeros((3, 32), np.uint8), "3 parent hashes for 2"),
    ],
)
def test_other_arrays_are_refused(
    checker: AnnouncementChecker,
    announcements: npt.NDArray[np.uint8],
    parents: npt.NDArray[np.uint8] | bytes,
    message: str,
) -> None:
    with pytest.raises(DecodeError, match=message):
        checker.check(announcements, parents)


Check = Callable[[npt.NDArray[np.uint8], npt.NDArray[np.uint8]], CheckedAnnouncements]


class Gate:
    """Opens real kernels whose checks wait for the gate, then do what `outcome` says.

    That is, checks of one announcement: the self-test's, and others that go together, do not wait.
    """

    def __init__(self, outcome: Exception | None = None) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.sizes: list[int] = []
        self._outcome = outcome

    def opener(self, device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        kernels = open_kernels(device, threads)
        check = kernels.check

        def check_at_gate(
            announcements: npt.NDArray[np.uint8], parent_hashes: npt.NDArray[np.uint8]
        ) -> CheckedAnnouncements:
            self.sizes.append(len(announcements))
            if len(announcements) != 1:
                return self.check_several(check, announcements, parent_hashes)
            self.entered.set()
            self.open.wait()
            if self._outcome is not None:
                raise self._outcome
            return check(announcements, parent_hashes)

        kernels.check = check_at_gate  # type: ignore[method-assign]
        return kernels

    def check_several(
        self, check: Check, announcements: npt.NDArray[np.uint8], parents: npt.NDArray[np.uint8]
    ) -> CheckedAnnouncements:
        return check(announcements, parents)


def submit_one(checker: AnnouncementChecker) -> Future[CheckedAnnouncements]:
    return checker.submit(rows(ANNOUNCEMENTS[:1]), PARENTS[0])


def test_a_full_queue_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_requests, "QUEUE_LIMIT", 2)
    gate = Gate()
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        futures = [submit_one(checker)]
        gate.entered.wait()
        futures += [submit_one(checker) for _ in range(2)]

        with pytest.raises(CheckerOverloaded, match="2 requests are waiting"):
            submit_one(checker)

        gate.open.set()
        for future in futures:
            assert future.result().results.tolist() == [AnnouncementCheck.OK]


def test_a_cancelled_request_is_passed_over() -> None:
    gate = Gate()
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        first = submit_one(checker)
        gate.entered.wait()
        cancelled, last = submit_one(checker), submit_one(checker)
        assert cancelled.cancel()
        gate.open.set()

        assert first.result().results.tolist() == [AnnouncementCheck.OK]
        assert last.result().results.tolist() == [AnnouncementCheck.OK]


def test_closing_answers_what_is_under_way_and_fails_what_waits() -> None:
    gate = Gate()
    checker = AnnouncementChecker("cpu", opener=gate.opener)
    under_way = submit_one(checker)
    gate.entered.wait()
    waiting = submit_one(checker)
    waiting.add_done_callback(lambda _: gate.open.set())

    checker.close()

    assert under_way.result().results.tolist() == [AnnouncementCheck.OK]
    with pytest.raises(DeviceError, match="closed"):
        waiting.result()
    with pytest.raises(DeviceError, match="closed"):
        submit_one(checker)


def test_a_request_that_fails_fails_alone_if_the_device_is_sound() -> None:
    gate = Gate(outcome=IndexError("a bug"))
    gate.open.set()
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        with pytest.raises(DeviceError, match="IndexError: a bug"):
            submit_one(checker).result()

        both = checker.check(rows(ANNOUNCEMENTS[:2]), PARENTS[0])

    assert both.results.tolist() == [AnnouncementCheck.OK] * 2


def test_requests_that_wait_at_the_same_time_are_answered_together() -> None:
    parts = [slice(0, 1), slice(1, 1), slice(1, 4), slice(4, len(ANNOUNCEMENTS))]
    gate = Gate()
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        submit_one(checker)
        gate.entered.wait()
        futures = [checker.submit(rows(ANNOUNCEMENTS)[part], rows(PARENTS)[part]) for part in parts]
        gate.open.set()
        answers = [future.result() for future in futures]

    assert gate.sizes[-1] == len(ANNOUNCEMENTS)
    for part, checked in zip(parts, answers, strict=True):
        wanted = ANNOUNCEMENTS[part]
        assert checked.results.tolist() == [AnnouncementCheck.OK] * len(wanted)
        assert [row.tobytes().hex() for row in checked.work_hashes] == WORK_HASHES[part]
        assert checked.keys.tolist() == [dedup_key(announcement) for announcement in wanted]


def test_everybody_gets_the_verdict_on_what_he_asked() -> None:
    gate = Gate()
    wrong_parent = bytes(32)
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        submit_one(checker)
        gate.entered.wait()
        futures = [
            checker.submit(rows(ANNOUNCEMENTS[:1]), parent)
            for parent in (PARENTS[0], wrong_parent, PARENTS[0])
        ]
        gate.open.set()
        verdicts = [future.result().results.tolist() for future in futures]

    assert gate.sizes[-1] == 3
    assert verdicts[0] == verdicts[2] == [AnnouncementCheck.OK]
    assert verdicts[1] != [AnnouncementCheck.OK]


def test_a_request_that_fails_takes_no_other_along() -> None:
    poison = np.full((2, 1024), 0xBD, np.uint8)

    class Poisonable(Gate):
        def check_several(
            self, check: Check, announcements: npt.NDArray[np.uint8], parents: npt.NDArray[np.uint8]
        ) -> CheckedAnnouncements:
            if (announcements == poison[0]).all(axis=1).any():
                raise IndexError("a bug")
            return check(announcements, parents)

    gate = Poisonable()
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        submit_one(checker)
        gate.entered.wait()
        before = checker.submit(rows(ANNOUNCEMENTS[:2]), PARENTS[0])
        poisoned = checker.submit(poison, PARENTS[0])
        after = checker.submit(rows(ANNOUNCEMENTS[:3]), rows(PARENTS[:3]))
        gate.open.set()

        assert before.result().results.tolist() == [AnnouncementCheck.OK] * 2
        with pytest.raises(DeviceError, match="IndexError: a bug"):
            poisoned.result()
        assert after.result().results.tolist() == [AnnouncementCheck.OK] * 3


def test_when_the_last_device_fails_those_who_asked_together_hear_of_it() -> None:
    class Dying(Gate):
        def opener(self, device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
            self._kernels = super().opener(device, threads)
            return self._kernels

        def check_several(
            self, check: Check, announcements: npt.NDArray[np.uint8], parents: npt.NDArray[np.uint8]
        ) -> CheckedAnnouncements:
            if self.open.is_set():
                self._kernels.search = self.search_no_more  # type: ignore[method-assign]
                raise OSError("device lost")
            return check(announcements, parents)

        def search_no_more(self, *arguments: object) -> SearchLaunch:
            raise OSError("device lost")

    gate = Dying()
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        under_way = submit_one(checker)
        gate.entered.wait()
        together = [submit_one(checker), submit_one(checker)]
        gate.open.set()

        assert under_way.result().results.tolist() == [AnnouncementCheck.OK]
        for future in together:
            with pytest.raises(DeviceError, match="device lost"):
                future.result()


def test_it_is_ready_when_a_device_passed_its_self_test(checker: AnnouncementChecker) -> None:
    assert checker.ready.result() is None
    assert checker.working_devices == len(checker.devices) == 1


def test_it_never_is_when_no_device_can_be_opened(caplog: pytest.LogCaptureFixture) -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        raise DeviceError("check.cl does not compile")

    with AnnouncementChecker("cpu", opener=opener) as checker:
        with pytest.raises(DeviceError, match=r"^check\.cl does not compile$"):
            checker.ready.result()
        with pytest.raises(DeviceError, match=r"check\.cl"):
            submit_one(checker)
        assert (len(checker.devices), checker.working_devices) == (1, 0)

    assert "Traceback" not in caplog.text


def test_one_good_device_is_enough_to_be_ready() -> None:
    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        if device.kind is DeviceKind.NUMPY:
            raise OSError("out of handles")
        return open_kernels(device, threads)

    with AnnouncementChecker(["numpy", "cpu"], opener=opener) as checker:
        assert checker.ready.result() is None
        assert submit_one(checker).result().results.tolist() == [AnnouncementCheck.OK]


def test_closing_ends_the_wait_for_readiness() -> None:
    opening, go_on = threading.Event(), threading.Event()

    def opener(device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
        opening.set()
        go_on.wait()
        return open_kernels(device, threads)

    checker = AnnouncementChecker("cpu", opener=opener)
    opening.wait()
    checker.ready.add_done_callback(lambda _: go_on.set())

    checker.close()

    with pytest.raises(DeviceError, match="closed"):
        checker.ready.result()


def test_when_the_last_device_fails_every_asker_hears_of_it() -> None:
    class Dying(Gate):
        def opener(self, device: DeviceInfo, threads: int | None) -> AnnouncementKernels:
            kernels = super().opener(device, threads)
            search = kernels.search

            def search_while_alive(*args, **options):  # type: ignore[no-untyped-def]
                if self.open.is_set():
                    raise OSError("device lost")
                return search(*args, **options)

            kernels.search = search_while_alive  # type: ignore[method-assign]
            return kernels

    gate = Dying(outcome=OSError("device lost"))
    with AnnouncementChecker("cpu", opener=gate.opener) as checker:
        under_way = submit_one(checker)
        gate.entered.wait()
        waiting = submit_one(checker)
        gate.open.set()

        for future in (under_way, waiting):
            with pytest.raises(DeviceError, match="device lost"):
                future.result()
        with pytest.raises(DeviceError, match="device lost"):
            submit_one(checker)
