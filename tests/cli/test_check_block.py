"""`packetcrypt check block`: verdicts on files, in both forms, and the exit status."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ended
from vector_files import VECTORS, load_vectors

from packetcrypt.protocol.announcement import AnnouncementHeader
from packetcrypt.protocol.announcement_signature import public_key, sign_announcement

Cli = Callable[..., Ended]

BLOCKS = load_vectors("blocks")
BLOCK, SHARE = BLOCKS[0], BLOCKS[1]
OK_LINE = f"0 OK {BLOCK['work_hash']}\n"


@pytest.fixture
def check(cli: Cli, tmp_path: Path) -> Cli:
    """Checks what is given as JSON, or as text."""

    def call(content: object, *options: str) -> Ended:
        file = tmp_path / "blocks.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return cli("check", "block", file, *options)

    return call


def test_known_blocks(cli: Cli) -> None:
    ended = cli("check", "block", VECTORS / "blocks.json", "--json")
    assert ended.status == 0
    assert ended.out.splitlines() == [
        f'{{"index":{index},"result":"{known["result"]}","work_hash":"{known["work_hash"]}"}}'
        for index, known in enumerate(BLOCKS)
    ]


def test_for_reading(check: Cli) -> None:
    ended = check([BLOCK, SHARE | {"coinbase_commit": "00" * 48}])
    assert ended.status == 1
    assert ended.out == OK_LINE + f"1 BAD_COINBASE {SHARE['work_hash']}\n"
    assert ended.err.endswith("1 of 2 blocks are OK, as blocks or as shares\n")


def test_a_single_object(check: Cli) -> None:
    ended = check(BLOCK)
    assert (ended.status, ended.out) == (0, OK_LINE)


def test_the_verdict_says_which_announcement(check: Cli) -> None:
    parents = [*BLOCK["parent_block_hashes"][:2], "00" * 32, BLOCK["parent_block_hashes"][3]]
    ended = check(BLOCK | {"parent_block_hashes": parents}, "--json")
    assert ended.status == 1
    assert json.loads(ended.out)["result"] == "ANN_INVALID 2"


def test_signatures_are_checked_if_there_is_a_list_of_them(check: Cli) -> None:
    """The known block has a signed announcement, and nobody knows its secret any more."""
    assert check(BLOCK | {"signatures": None}).out == OK_LINE
    ended = check(BLOCK | {"signatures": []}, "--json")
    assert ended.status == 1
    assert ended.out == '{"index":0,"result":"ANN_SIG_INVALID 0","work_hash":null}\n'


def test_with_all_signatures_the_check_goes_on(check: Cli) -> None:
    seed = b"k" * 32
    header = AnnouncementHeader(
        hard_nonce=0, work_bits=0x207FFFFF, parent_height=1000000, signing_key=public_key(seed)
    )
    signed = header.encode().ljust(1024, b"\0")
    signatures = [sign_announcement(signed, seed).hex()] * 4
    ended = check(BLOCK | {"anns": [signed.hex()] * 4, "signatures": signatures})
    assert ended.out.startswith("0 ANN_INVALID 0 ")


def test_an_empty_list_has_no_bad_ones(check: Cli) -> None:
    ended = check([], "--json")
    assert (ended.status, ended.out) == (0, "")


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("header", "00" * 79, "160 hexadecimal digits"),
        ("coinbase_commit", BLOCK["coinbase_commit"][:-2], "96 hexadecimal digits"),
        ("nonce2", 1 << 32, "an integer from 0 to 4294967295"),
        ("nonce2", "0", "an integer from 0 to 4294967295"),
        ("anns", BLOCK["anns"][:3], "an array of 4 elements, got 3"),
        ("proof", "0", "an even number of hexadecimal digits"),
        ("block_height", -1, "an integer from 0 to 2147483647"),
        ("share_target", 0x207FFFFF, "8 hexadecimal digits"),
        ("parent_block_hashes", "00" * 32, "an array"),
        ("signatures", [1], "128 hexadecimal digits"),
    ],
)
def test_fields_of_another_form(check: Cli, field: str, value: object, rule: str) -> None:
    """The second block's error is told before the first is checked."""
    ended = check([BLOCK, BLOCK | {field: value}])
    assert (ended.status, ended.out) == (2, "")
    assert f'blocks.json: block 1: field "{field}' in ended.err
    assert f"must be {rule}" in ended.err


@pytest.mark.parametrize(
    "field",
    ["header", "coinbase_commit", "nonce2", "anns", "proof", "block_height", "share_target"],
)
def test_missing_fields(check: Cli, field: str) -> None:
    ended = check({name: value for name, value in BLOCK.items() if name != field})
    assert ended.status == 2
    assert f'blocks.json: field "{field}" is missing' in ended.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "blocks.json: not JSON"),
        ("{", "blocks.json: not JSON"),
        ('"text"', "blocks.json: expected a JSON object, got the string"),
        ("[1]", "blocks.json: block 0: expected a JSON object, got the number 1"),
    ],
)
def test_what_is_no_list_of_blocks(check: Cli, content: str, message: str) -> None:
    ended = check(content)
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err


@pytest.mark.parametrize(
    ("file", "message"), [("missing.json", "does not exist"), (".", "is a directory")]
)
def test_files_that_cannot_be_read(cli: Cli, file: str, message: str) -> None:
    ended = cli("check", "block", file)
    assert ended.status == 2
    assert message in ended.err


def test_bytes_that_are_no_text(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "blocks.json"
    file.write_bytes(b"\xff\xfe\xfd")
    ended = cli("check", "block", file)
    assert ended.status == 2
    assert "not JSON" in ended.err
