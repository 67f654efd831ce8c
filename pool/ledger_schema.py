"""Which tables the ledger has, and how an older ledger becomes one of today.

Facts as handlers told them: rows are added and never changed or deleted. What they are worth is
computed anew each time (payout_credits), so that a mistake in a rule spoils no ledger.

Times are milliseconds since 1970. Nothing here is special to one database.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    select,
)

from packetcrypt.protocol.address import PAYTO_MAX_LENGTH
from packetcrypt.protocol.errors import ConfigError

_ID_SIZE: Final = 16
_HASH_SIZE: Final = 32

metadata = MetaData()

versions = Table("schema_version", metadata, Column("version", Integer, nullable=False))

#: Uploads that were acknowledged, with the number of events that each brought for the first time.
uploads = Table(
    "uploads",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("upload_id", LargeBinary(_ID_SIZE), nullable=False, unique=True),
    Column("received", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("announcement_posts", Integer, nullable=False),
    Column("shares", Integer, nullable=False),
    Column("blocks", Integer, nullable=False),
    Column("repeated", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
)

addresses = Table(
    "addresses",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("address", String(PAYTO_MAX_LENGTH), nullable=False, unique=True),
)

announcement_posts = Table(
    "announcement_posts",
    metadata,
    Column("event_id", LargeBinary(_ID_SIZE), primary_key=True),
    Column("upload", ForeignKey(uploads.c.number), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("address", ForeignKey(addresses.c.number), nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("unsigned", BigInteger, nullable=False),
    Column("total_length", BigInteger, nullable=False),
    Column("target", BigInteger, nullable=False),
)

#: The announcement posts of each upload once more, as an array (ledger_rows.ANNOUNCEMENT_POST):
#: reading millions of rows one by one would take longer than a start may.
packed_posts = Table(
    "packed_posts",
    metadata,
    Column("upload", ForeignKey(uploads.c.number), primary_key=True),
    Column("newest", BigInteger, nullable=False),
    Column("rows", LargeBinary, nullable=False),
    Index("packed_posts_by_newest", "newest"),
)

shares = Table(
    "shares",
    metadata,
    Column("event_id", LargeBinary(_ID_SIZE), primary_key=True),
    Column("upload", ForeignKey(uploads.c.number), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("address", ForeignKey(addresses.c.number), nullable=False),
    Column("target", BigInteger, nullable=False),
    Column("encryptions", Double, nullable=False),
    Column("is_block", Boolean, nullable=False),
    Column("header_hash", LargeBinary(_HASH_SIZE)),
    Index("shares_by_time", "time"),
)

blocks = Table(
    "blocks",
    metadata,
    Column("event_id", LargeBinary(_ID_SIZE), primary_key=True),
    Column("upload", ForeignKey(uploads.c.number), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("height", Integer, nullable=False),
    Column("difficulty", Double, nullable=False),
    Column("hash", LargeBinary(_HASH_SIZE), nullable=False),
    Index("blocks_by_time", "time"),
)

#: Lines of uploads that were no events, whole: somebody may want to know what was lost.
refused_lines = Table(
    "refused_lines",
    metadata,
    Column("upload", ForeignKey(uploads.c.number), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("reason", String, nullable=False),
)

#: What the node said before any block event: one row, once it has.
first_difficulty = Table(
    "first_difficulty",
    metadata,
    Column("difficulty", Double, nullable=False),
    Column("asked", BigInteger, nullable=False),
)


#: Few shares are blocks, and the newest of these are asked for all the time (ledger_blocks).
_won_shares_by_time = Index("won_shares_by_time", shares.c.is_block, shares.c.time)
_blocks_by_height = Index("blocks_by_height", blocks.c.height)


def _create(connection: Connection) -> None:
    metadata.create_all(connection)


def _index_found_blocks(connection: Connection) -> None:
    """A ledger that version 1 made lacks these; a new one has just got them."""
    _won_shares_by_time.create(connection, checkfirst=True)
    _blocks_by_height.create(connection, checkfirst=True)


#: Step n makes a ledger of version n from one of version n − 1; version 0 is an empty database.
STEPS: tuple[Callable[[Connection], None], ...] = (_create, _index_found_blocks)


def bring_up_to_date(connection: Connection) -> None:
    """Creates or changes the tables. ConfigError if a later version of this program made them."""
    version = _version(connection)
    if version > len(STEPS):
        raise ConfigError(
            f"the ledger has version {version}, and this program knows versions up to "
            f"{len(STEPS)}: use the release of this program that wrote it, or a newer one"
        )
    if version == len(STEPS):
        return
    for step in STEPS[version:]:
        step(connection)
    connection.execute(versions.delete())
    connection.execute(versions.insert().values(version=len(STEPS)))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(versions.name):
        return 0
    return int(connection.execute(select(versions.c.version)).scalar_one())
