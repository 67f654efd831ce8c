"""What an engine is asked to mine: the facts that all jobs of a block share."""

from dataclasses import dataclass

from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_job import AnnouncementJob
from packetcrypt.protocol.difficulty import min_ann_target_ok
from packetcrypt.protocol.errors import ConfigError, DecodeError


def check_work_bits(work_bits: int) -> None:
    """Refuse with `ConfigError` a compact target that no announcement can meet (spec 1 §4)."""
    if not min_ann_target_ok(work_bits):
        raise ConfigError(
            f"work bits {work_bits:#010x} are no target that an announcement can meet. "
            "Give a positive compact target of at most 0x207fffff, e.g. 0x2001ffff."
        )


@dataclass(frozen=True, kw_only=True)
class AnnouncementWork:
    """Everything of an announcement header but the nonces (spec 1 §4), and the parent block.

    parent_hash    : hash of the parent block, 32 bytes, internal byte order
    parent_height  : height of the parent block
    work_bits      : compact target that announcements must meet
    signing_key    : ed25519 public key, 32 bytes; zeros for unsigned announcements
    content_type, content_length, content_hash : what the announcement is about; zeros for nothing

    Raises `ConfigError` for values that no announcement can carry.
    """

    parent_hash: bytes
    parent_height: int
    work_bits: int
    signing_key: bytes = bytes(32)
    content_type: int = 0
    content_length: int = 0
    content_hash: bytes = bytes(32)

    def __post_init__(self) -> None:
        check_work_bits(self.work_bits)
        try:
            self.job(hard_nonce=0)
        except DecodeError as error:
            raise ConfigError(f"this work cannot be mined: {error}") from error

    def job(self, hard_nonce: int) -> AnnouncementJob:
        """The job of this work with one hard nonce (u32)."""
        header = AnnouncementHeader(
            hard_nonce=hard_nonce,
            work_bits=self.work_bits,
            parent_height=self.parent_height,
            content_type=self.content_type,
            content_length=self.content_length,
            content_hash=self.content_hash,
            signing_key=self.signing_key,
        )
        return AnnouncementJob(header, self.parent_hash)
