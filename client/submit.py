"""What became of announcements that were posted to a handler (spec 2 "Announcement miner")."""

from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from packetcrypt.client.http import HttpAnswer, HttpLimits, post
from packetcrypt.protocol.announcement import ANNOUNCEMENT_SIZE
from packetcrypt.protocol.errors import DecodeError, PoolError
from packetcrypt.protocol.pool_messages import AnnouncementPostHeaders, AnnouncementPostReply

REPLY_SIZE_LIMIT = 64 * 1024
OVERLOADED = "overloaded"
_QUOTED_ERRORS = 3
_QUOTED_LENGTH = 200


@dataclass(frozen=True)
class PostOutcome:
    """Where each announcement of one post went; the four counts add up to those sent.

    accepted   : the handler credits them
    rejected   : the handler answered and does not: duplicate, invalid, too late, wrong height
    overloaded : the handler's queue was full, it looked at none of them
    lost       : no answer that could be understood; some of them may be credited nevertheless
    complaint  : what there is to tell people about it, None if all were accepted
    """

    accepted: int = 0
    rejected: int = 0
    overloaded: int = 0
    lost: int = 0
    complaint: str | None = None


async def post_announcements(
    session: aiohttp.ClientSession,
    url: str,
    headers: AnnouncementPostHeaders,
    announcements: bytes,
    timeout_s: float,
) -> PostOutcome:
    """Posts joined announcements of 1024 bytes each. A `PoolError` becomes an outcome, too."""
    sent = len(announcements) // ANNOUNCEMENT_SIZE
    limits = HttpLimits(REPLY_SIZE_LIMIT, timeout_s)
    try:
        answer = await post(session, url, announcements, limits, headers.encode())
    except PoolError as error:
        return PostOutcome(lost=sent, complaint=str(error))
    return _outcome(url, sent, answer)


def _outcome(url: str, sent: int, answer: HttpAnswer) -> PostOutcome:
    try:
        reply = AnnouncementPostReply.decode(answer.body)
    except DecodeError as error:
        complaint = f"POST {url} answered {answer.status} and nothing that a handler says: {error}"
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            # A proxy in front of the handler says the same as the handler would: come back later.
            return PostOutcome(overloaded=sent, complaint=complaint)
        return PostOutcome(lost=sent, complaint=complaint)
    result = reply.result
    if result is None:
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE or OVERLOADED in reply.errors:
            return PostOutcome(overloaded=sent, complaint=f"POST {url}: the handler is overloaded")
        complaint = f"POST {url} answered {answer.status}: {joined_errors(reply.errors)}"
        return PostOutcome(rejected=sent, complaint=complaint)
    if result.accepted > sent:
        complaint = f"POST {url} accepted {result.accepted} announcements, but {sent} were sent"
        return PostOutcome(lost=sent, complaint=complaint)
    if result.accepted == sent:
        return PostOutcome(accepted=sent)
    complaint = (
        f"POST {url}: {sent - result.accepted} of {sent} announcements were not accepted "
        f"(duplicate: {result.duplicates}, invalid: {result.invalid}, "
        f"meant for another handler: {result.bad_hash}, errors: {joined_errors(reply.errors)})"
    )
    return PostOutcome(result.accepted, sent - result.accepted, complaint=complaint)


def joined_errors(errors: tuple[str, ...]) -> str:
    """Errors from outside as they may stand in a log: one line, printable, not endless."""
    text = "; ".join(errors[:_QUOTED_ERRORS]) or "none named"
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable[:_QUOTED_LENGTH]
