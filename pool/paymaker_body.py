"""Which events an uploaded pay log tells, and which of its lines are none (spec 2 "Paymaker")."""

from dataclasses import dataclass
from functools import lru_cache

from packetcrypt.protocol.address import check_payto, format_address, parse_address
from packetcrypt.protocol.difficulty import min_ann_target_ok
from packetcrypt.protocol.errors import DecodeError
from packetcrypt.protocol.json_fields import JsonFields
from packetcrypt.protocol.pool_messages import AnnouncementPostResult
from packetcrypt.protocol.share_messages import BlockEvent, ShareResult

Event = AnnouncementPostResult | ShareResult | BlockEvent


@dataclass(frozen=True)
class RefusedLine:
    """A line that is no event; number counts from 1."""

    number: int
    content: bytes
    reason: str


@dataclass(frozen=True)
class PayLogBody:
    """What a pay log says, in its order."""

    announcement_posts: tuple[AnnouncementPostResult, ...]
    shares: tuple[ShareResult, ...]
    blocks: tuple[BlockEvent, ...]
    refused: tuple[RefusedLine, ...]


def read_pay_log(body: bytes) -> PayLogBody:
    """Reads newline-separated JSON. One bad line loses none of the others."""
    events: list[Event] = []
    refused: list[RefusedLine] = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            events.append(_read_event(line, f"line {number}"))
        except DecodeError as error:
            refused.append(RefusedLine(number, line, str(error)))
    return PayLogBody(
        tuple(event for event in events if isinstance(event, AnnouncementPostResult)),
        tuple(event for event in events if isinstance(event, ShareResult)),
        tuple(event for event in events if isinstance(event, BlockEvent)),
        tuple(refused),
    )


@lru_cache(maxsize=65536)
def canonical_address(text: str) -> str:
    """The one spelling of an address that may be written in several ways; another text as it is."""
    try:
        return format_address(parse_address(text))
    except DecodeError:
        return text


@lru_cache(maxsize=65536)
def is_payable(text: str) -> bool:
    """Whether the node can pay somebody of this name. Handlers take any word for an address."""
    try:
        parse_address(text)
    except DecodeError:
        return False
    return True


def _read_event(line: bytes, what: str) -> Event:
    fields = JsonFields.parse(line, what)
    match fields.text("type"):
        case "anns":
            post = AnnouncementPostResult.decode(fields)
            # A post of which nothing was taken may say anything here.
            if post.accepted:
                _check_target(post.target, what)
            _check_pay_to(post.pay_to, what)
            return post
        case "share":
            share = ShareResult.decode(fields)
            _check_target(share.target, what)
            _check_pay_to(share.pay_to, what)
            return share
        case "block":
            block = BlockEvent.decode(fields)
            if block.difficulty <= 0:
                raise DecodeError(
                    f'{what}: field "difficulty" must be more than 0, got {block.difficulty}'
                )
            return block
        case kind:
            raise DecodeError(
                f'{what}: field "type" must be "anns", "share" or "block", got {kind[:60]!r}'
            )


def _check_target(target: int, what: str) -> None:
    if not min_ann_target_ok(target):
        raise DecodeError(f'{what}: field "target" is no compact target: {target:#x}')


def _check_pay_to(pay_to: str, what: str) -> None:
    try:
        check_payto(pay_to)
    except DecodeError as error:
        raise DecodeError(f'{what}: field "payTo": {str(error)[:100]!r}') from error
