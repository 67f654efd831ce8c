"""Files of the existing paymaker: what is in them, who is paid for them, and damaged ones."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paymaker_setup import ALICE, BOB, anns, body, paymaker, paymaker_settings, share
from pktd_stand_in import pktd_stand_in
from vector_files import VECTORS

from packetcrypt.handler.workdir import LockedFolder
from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.ledger_writing import Upload
from packetcrypt.pool.paylog_import import (
    find_pay_logs,
    import_pay_logs,
    opened_for_import,
    read_kept_pay_log,
)
from packetcrypt.pool.paymaker_body import read_pay_log
from packetcrypt.protocol.errors import ConfigError, DecodeError

FOLDER = VECTORS / "paylog"
FILES = sorted(FOLDER.glob("*.bin"))
WHO_TO_PAY = json.loads((FOLDER / "whotopay.json").read_text())
FEE_ADDRESS = "pkt1q6hqsqhqdgqfd8t3xwgceulu7k9d9w5t2amath0qxyfjlvl3s3u4sjza2g2"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield ledger


def _kept(folder: Path, content: bytes, time: str = "1700000000000") -> Path:
    path = folder / f"paylog_{time}_{hashlib.sha256(content).hexdigest()[:32]}.bin"
    path.write_bytes(content)
    return path


def _events(ledger: Ledger) -> list[object]:
    history = ledger.history(0)
    return [history.announcement_posts.tolist(), history.shares.tolist(), history.blocks.tolist()]


def test_what_is_in_the_files(ledger: Ledger) -> None:
    imported = list(import_pay_logs(ledger, find_pay_logs([FOLDER])))

    assert [log.path for log in imported] == FILES
    assert [(log.new, log.known, len(log.refused)) for log in imported] == [
        (32, 0, 0),
        (31, 0, 0),
        (28, 0, 0),
        (1, 1, 1),
    ]
    counts = ledger.counts()
    assert (counts.announcement_posts, counts.shares, counts.blocks) == (32, 29, 31)


def test_imported_twice_adds_nothing(ledger: Ledger) -> None:
    list(import_pay_logs(ledger, FILES))
    before = _events(ledger), ledger.counts()

    again = list(import_pay_logs(ledger, FILES))

    assert [(log.new, log.known) for log in again] == [(0, 32), (0, 31), (0, 28), (0, 2)]
    assert (_events(ledger), ledger.counts()) == before


def test_events_that_a_handler_told_before_are_known(ledger: Ledger) -> None:
    lines = FILES[0].read_bytes().splitlines(keepends=True)
    told = b"".join(lines[:10]) + body(anns(ALICE, 5))
    ledger.record(Upload(b"u" * 16, 1, len(told), read_pay_log(told)))

    (log,) = import_pay_logs(ledger, FILES[:1])

    assert (log.new, log.known) == (22, 10)
    assert ledger.counts().events == 33


def test_an_import_is_the_upload_that_it_was(ledger: Ledger, tmp_path: Path) -> None:
    content = body(anns(ALICE, 10), share(BOB, 20))
    list(import_pay_logs(ledger, [_kept(tmp_path, content)]))
    upload_id = hashlib.sha256(content).digest()[:16]
    upload = Upload(upload_id, 1, len(content), read_pay_log(content))
    assert ledger.record(upload).is_replay


async def test_the_payout_is_that_of_the_paymaker_that_wrote_them(tmp_path: Path) -> None:
    # They differ by how the work of a target is rounded.
    async with pktd_stand_in() as node:
        with opened_for_import(paymaker_settings(node, tmp_path)) as ledger:
            list(import_pay_logs(ledger, FILES))
        rules = {
            "pool_fee": 0.2,
            "pool_fee_address": FEE_ADDRESS,
            "default_address": FEE_ADDRESS,
            "history": 9e8,
        }
        async with paymaker(node, tmp_path, **rules) as user:
            ours = {time: (await user.who_to_pay(int(time)))["result"] for time in WHO_TO_PAY}
    assert ours == {time: pytest.approx(paid, abs=1e-5) for time, paid in WHO_TO_PAY.items()}


async def test_a_running_paymaker_keeps_the_import_out(tmp_path: Path) -> None:
    async with pktd_stand_in() as node, paymaker(node, tmp_path) as user:
        with (
            pytest.raises(ConfigError, match="the paymaker runs, and would not see"),
            opened_for_import(user.paymaker.settings),
        ):
            pass


async def test_after_an_import_the_folder_is_free(tmp_path: Path) -> None:
    async with pktd_stand_in() as node:
        pool = paymaker_settings(node, tmp_path)
    with opened_for_import(pool):
        pass
    with LockedFolder(pool.workdir):
        pass


ORIGINAL = FILES[3].read_bytes()
DAMAGED = st.one_of(
    st.integers(0, len(ORIGINAL) - 1).map(lambda size: ORIGINAL[:size]),
    st.tuples(st.integers(0, len(ORIGINAL) - 1), st.integers(1, 255)).map(
        lambda flip: (
            ORIGINAL[: flip[0]] + bytes([ORIGINAL[flip[0]] ^ flip[1]]) + ORIGINAL[flip[0] + 1 :]
        )
    ),
    st.binary(min_size=1).map(lambda more: ORIGINAL + more),
    st.binary(max_size=1000).filter(lambda content: content != ORIGINAL),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=DAMAGED)
def test_of_a_damaged_file_nothing_is_taken(ledger: Ledger, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILES[3].name
    path.write_bytes(content)

    (log,) = import_pay_logs(ledger, [path])

    assert (log.new, log.known, log.refused) == (0, 0, ())
    assert f"{path}: its {len(content)} bytes are not those that it was written with" in log.damage
    assert ledger.counts().events == ledger.counts().refused == 0


def test_a_damaged_file_does_not_stop_the_others(ledger: Ledger, tmp_path: Path) -> None:
    for path in FILES[:3]:
        shutil.copy(path, tmp_path)
    with (tmp_path / FILES[1].name).open("rb+") as file:
        file.truncate(1000)

    imported = list(import_pay_logs(ledger, find_pay_logs([tmp_path])))

    assert [(log.new, bool(log.damage)) for log in imported] == [
        (32, False),
        (0, True),
        (28, False),
    ]
    assert "(it ends within a line)" in imported[1].damage


@pytest.mark.parametrize(
    "name",
    ["paylog_1.bin", "paylog_7.ndjson", "paylog_1_" + "0" * 31 + ".bin", "copy of a pay log"],
)
def test_a_name_that_cannot_tell(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(ORIGINAL)
    with pytest.raises(DecodeError, match=r"its name is not paylog_TIME_DIGEST\.bin"):
        read_kept_pay_log(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match=r"it cannot be read \(No such file"):
        read_kept_pay_log(tmp_path / FILES[0].name)


@pytest.mark.parametrize("time", ["0", "1700000000000", "1700000000000.5", "-5", "1e+21"])
def test_any_time_in_the_name(tmp_path: Path, time: str) -> None:
    assert read_kept_pay_log(_kept(tmp_path, b"events", time)).content == b"events"


def test_places(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    second, first = _kept(tmp_path, b"b", "2000"), _kept(tmp_path, b"a", "1000")
    assert find_pay_logs([tmp_path, FILES[0]]) == [first, second, FILES[0]]


def test_a_place_that_has_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no paylog_\*\.bin is there"):
        find_pay_logs([tmp_path])
    with pytest.raises(ConfigError, match="there is no such file or folder"):
        find_pay_logs([tmp_path / "nothing"])
