"""What became of a share that was posted to a block handler (spec 2 "Block Miner")."""

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

import aiohttp

from packetcrypt.client.http import HttpLimits, post
from packetcrypt.client.submit import joined_errors
from packetcrypt.protocol.errors import DecodeError, PoolError
from packetcrypt.protocol.pool_messages import PAY_TO_HEADER, SOFT_VERSION, SOFT_VERSION_HEADER
from packetcrypt.protocol.share_messages import SharePost, ShareReply

REPLY_SIZE_LIMIT = 64 * 1024


class ShareFate(Enum):
    """How a post of a share ended."""

    ACCEPTED = "accepted"
    """the handler credits it"""
    REJECTED = "rejected"
    """the handler looked at it and does not: the same post again would be answered the same"""
    FAILED = "failed"
    """no usable answer, or an overloaded handler: worth another try while the work is current"""


@dataclass(frozen=True)
class ShareOutcome:
    """The end of one post.

    is_block  : the handler says that it became a block
    complaint : what there is to tell people about it, None if all is well
    """

    fate: ShareFate
    is_block: bool = False
    complaint: str | None = None


async def post_share(
    session: aiohttp.ClientSession, url: str, pay_to: str, share: SharePost, timeout_s: float
) -> ShareOutcome:
    """Posts one share. A `PoolError` becomes an outcome, too."""
    headers = {
        PAY_TO_HEADER: pay_to,
        SOFT_VERSION_HEADER: str(SOFT_VERSION),
        "Content-Type": "application/json",
    }
    limits = HttpLimits(REPLY_SIZE_LIMIT, timeout_s)
    try:
        answer = await post(session, url, share.encode(), limits, headers)
    except PoolError as error:
        return ShareOutcome(ShareFate.FAILED, complaint=str(error))
    try:
        reply = ShareReply.decode(answer.body)
    except DecodeError as error:
        return ShareOutcome(
            ShareFate.FAILED,
            complaint=f"POST {url} answered {answer.status} and nothing that a block handler says: "
            f"{error}",
        )
    if reply.result is not None:
        warnings = f"POST {url} warns: {joined_errors(reply.warnings)}" if reply.warnings else None
        return ShareOutcome(ShareFate.ACCEPTED, reply.result.block, warnings)
    is_busy = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ShareOutcome(
        ShareFate.FAILED if is_busy else ShareFate.REJECTED,
        complaint=f"POST {url} answered {answer.status}: {joined_errors(reply.errors)}",
    )
