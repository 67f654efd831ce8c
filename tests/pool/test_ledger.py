"""The ledger in a real file: what is written once, what is read back, and what is refused."""

import ast
import sqlite3
from pathlib import Path

import pytest
from paymaker_setup import ALICE, BOB, anns, block, body, share
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from packetcrypt.pool import ledger_schema
from packetcrypt.pool.ledger import Ledger, LedgerError
from packetcrypt.pool.ledger_rows import Recorded, Win
from packetcrypt.pool.ledger_sqlite import back_up
from packetcrypt.pool.ledger_writing import Upload
from packetcrypt.pool.paymaker_body import read_pay_log
from packetcrypt.protocol.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent


def record(ledger: Ledger, log: bytes, upload_id: bytes) -> Recorded:
    return ledger.record(Upload(upload_id.ljust(16), 1, len(log), read_pay_log(log)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_what_was_written_is_read_back(path: Path) -> None:
    won = share(BOB, 30, block=True, headerHash="ab" * 31 + "cd", encryptions=2**70)
    log = body(
        anns(ALICE, 10, 9, unsigned=3, totalLen=2**40),
        anns(BOB, 20, 8),
        won,
        share(ALICE, 25),
        block(5, 1.25),
    )
    with Ledger(path) as ledger:
        recorded = record(ledger, log, b"a")
    with Ledger(path) as ledger:
        history = ledger.history(0)
    assert history.announcement_posts.tolist() == [
        (10, 2**40, 0, 9, 3, 0x2000FFFF),
        (20, 0, 1, 8, 0, 0x2000FFFF),
    ]
    assert history.shares.tolist() == [
        (25, 0, 0x1E03FFFF, 4096.0),
        (30, 1, 0x1E03FFFF, 2.0**70),
    ]
    assert history.blocks.tolist() == [(5, 1.25)]
    assert history.wins == (Win(30, bytes.fromhex("cd" + "ab" * 31)),)
    assert history.addresses == (ALICE, BOB)
    for name in ("announcement_posts", "shares", "blocks"):
        told, read = getattr(recorded.rows, name), getattr(history, name)
        assert sorted(told.tolist()) == sorted(read.tolist())
    assert (recorded.rows.wins, recorded.rows.addresses) == (history.wins, history.addresses)


def test_what_memory_is_made_of_is_what_the_rows_say(path: Path) -> None:
    names = ("time", "total_length", "address", "accepted", "unsigned", "target")
    with Ledger(path) as ledger:
        for upload in range(5):
            # Each upload has new events and some of the one before.
            log = body(*(anns(ALICE, 10 * upload + i, i, totalLen=i) for i in range(15)))
            record(ledger, log + body(share(BOB, upload)), b"%d" % upload)
        read = ledger.history(0).announcement_posts.tolist()
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"SELECT {', '.join(names)} FROM announcement_posts").fetchall()
    connection.close()
    assert sorted(read) == sorted(rows)
    assert len(rows) == 75


def test_a_known_event_is_not_new(path: Path) -> None:
    with Ledger(path) as ledger:
        first = record(ledger, body(anns(ALICE, 1), block(1, 2.0)), b"a")
        second = record(ledger, body(anns(ALICE, 1), anns(ALICE, 2), block(1, 2.0)), b"b")
        replay = record(ledger, body(share(BOB, 5)), b"b")
    assert (first.events, first.repeated, first.is_replay) == (2, 0, False)
    assert (second.events, second.repeated, second.is_replay) == (1, 2, False)
    assert (replay.events, replay.repeated, replay.is_replay) == (0, 0, True)


def test_of_one_id_the_first_event_counts(path: Path) -> None:
    one_id = "ab" * 16
    with Ledger(path) as ledger:
        both = body(anns(ALICE, 1, 5, eventId=one_id), anns(BOB, 2, 7, eventId=one_id.upper()))
        recorded = record(ledger, both, b"a")
        assert recorded.rows.announcement_posts["accepted"].tolist() == [5]
        assert recorded.repeated == 1
        later = record(ledger, body(anns(BOB, 3, 900, eventId=one_id)), b"b")
        assert (later.events, later.repeated) == (0, 1)


def test_many_events_in_one_upload(path: Path) -> None:
    log = body(*(anns(ALICE, i) for i in range(1200)))
    with Ledger(path) as ledger:
        assert record(ledger, log, b"a").events == 1200
        assert record(ledger, log + body(anns(ALICE, 5000)), b"b").repeated == 1200
        assert len(ledger.history(0).announcement_posts) == 1201


def test_a_history_begins_with_the_block_before_it(path: Path) -> None:
    blocks = (block(10, 1.0), block(20, 2.0), block(30, 3.0))
    shares = (share(ALICE, 15, block=True), share(ALICE, 16, block=True), share(ALICE, 30))
    with Ledger(path) as ledger:
        record(ledger, body(*blocks, *shares, anns(BOB, 19), anns(BOB, 25)), b"a")
        history = ledger.history(25)
        assert sorted(history.blocks["time"].tolist()) == [20, 30]
        assert history.shares["time"].tolist() == [30]
        assert history.announcement_posts["time"].tolist() == [25]
        assert [win.time for win in history.wins] == [16]
        assert history.addresses == (BOB, ALICE)


def test_counts_and_the_first_difficulty(path: Path) -> None:
    with Ledger(path) as ledger:
        assert ledger.first_difficulty() is None
        record(ledger, body(anns(ALICE, 1), share(ALICE, 1)) + b"x\n", b"a")
        record(ledger, body(anns(ALICE, 1)), b"b")
        ledger.set_first_difficulty(12.5, 1)
    with Ledger(path) as ledger:
        counts = ledger.counts()
        assert ledger.first_difficulty() == 12.5
    assert (counts.uploads, counts.announcement_posts, counts.shares, counts.blocks) == (2, 1, 1, 0)
    assert (counts.repeated, counts.refused) == (1, 1)


def test_refused_lines_are_kept_whole(path: Path) -> None:
    with Ledger(path) as ledger:
        record(ledger, b'{"type":"anns"}\n\n\xff\x00', b"a")
    with sqlite3.connect(path) as connection:
        kept = connection.execute("SELECT line, content, reason FROM refused_lines").fetchall()
    connection.close()
    assert [(line, content) for line, content, _ in kept] == [
        (1, b'{"type":"anns"}'),
        (3, b"\xff\x00"),
    ]
    assert kept[0][2] == 'line 1: field "payTo" is missing'


def test_a_write_that_fails_leaves_nothing(path: Path) -> None:
    with Ledger(path) as ledger:
        with sqlite3.connect(path) as connection:
            connection.execute("ALTER TABLE shares RENAME TO hidden")
        with pytest.raises(LedgerError, match=r"no such table: shares\. Make room"):
            record(ledger, body(anns(ALICE, 1), share(BOB, 1)), b"a")
        with connection:
            connection.execute("ALTER TABLE hidden RENAME TO shares")
        connection.close()
        assert record(ledger, body(anns(BOB, 1), share(BOB, 1)), b"a").rows.addresses == (BOB,)
        assert ledger.history(0).addresses == (BOB,)


def test_a_file_that_is_no_ledger(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError, match=r"ledger.sqlite: the ledger cannot be opened \(file is"):
        Ledger(path)


def test_a_ledger_of_a_later_version(path: Path) -> None:
    Ledger(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_version SET version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="the ledger has version 99, and this program knows"):
        Ledger(path)


def test_an_older_ledger_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(path) as ledger:
        record(ledger, body(anns(ALICE, 1)), b"a")

    def add_column(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE uploads ADD COLUMN handler TEXT")

    monkeypatch.setattr(ledger_schema, "STEPS", (*ledger_schema.STEPS, add_column))
    for _ in range(2):
        with Ledger(path) as ledger:
            assert len(ledger.history(0).announcement_posts) == 1
    with sqlite3.connect(path) as connection:
        versions = connection.execute("SELECT version FROM schema_version").fetchall()
        columns = [row[1] for row in connection.execute("PRAGMA table_info(uploads)")]
    connection.close()
    assert versions == [(len(ledger_schema.STEPS),)]
    assert columns[-1] == "handler"


def test_a_step_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger(path).close()

    def half(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE uploads ADD COLUMN handler TEXT")
        connection.exec_driver_sql("ALTER TABLE absent ADD COLUMN handler TEXT")

    with monkeypatch.context() as patched:
        patched.setattr(ledger_schema, "STEPS", (*ledger_schema.STEPS, half))
        with pytest.raises(ConfigError, match="no such table: absent"):
            Ledger(path)
    with sqlite3.connect(path) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(uploads)")]
    connection.close()
    assert "handler" not in columns
    Ledger(path).close()


def test_commits_wait_for_the_disk(path: Path) -> None:
    with Ledger(path) as ledger, ledger._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_backup_while_the_ledger_is_open(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.write_text("an older backup")
    with Ledger(path) as ledger:
        record(ledger, body(anns(ALICE, 1)), b"a")
        back_up(path, target)
        record(ledger, body(anns(ALICE, 2)), b"b")
    with Ledger(target) as copy:
        assert copy.history(0).announcement_posts["time"].tolist() == [1]
        assert record(copy, body(anns(ALICE, 1), anns(ALICE, 3)), b"c").events == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["copy", "ledger.sqlite"]


def test_a_backup_of_nothing(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no ledger: is root_workdir"):
        back_up(path, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_without_a_place(path: Path, tmp_path: Path) -> None:
    Ledger(path).close()
    with pytest.raises(ConfigError, match=r"cannot be written .*: give a file in a folder"):
        back_up(path, tmp_path / "no folder" / "copy")


@pytest.mark.parametrize("table", ledger_schema.metadata.sorted_tables, ids=lambda t: t.name)
def test_another_database_could_hold_it(table: object) -> None:
    statement = str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[arg-type,no-untyped-call]
    assert "CREATE TABLE" in statement


@pytest.mark.parametrize(
    "module", sorted(p for p in (ROOT / "pool").glob("*.py")), ids=lambda p: p.name
)
def test_sqlite_is_known_to_one_module(module: Path) -> None:
    names = {
        name
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (getattr(node, "module", None), *(alias.name for alias in node.names))
    }
    special = {name for name in names if name and "sqlite" in name.split(".")[-1]}
    if module.name != "ledger_sqlite.py":
        assert special <= {"packetcrypt.pool.ledger_sqlite"}
