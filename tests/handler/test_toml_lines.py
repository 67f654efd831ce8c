"""On which line tables and keys are found."""

import pytest

from packetcrypt.handler.toml_lines import key_lines, place_of

TEXT = """\
# a comment
top = 1
"quoted key" = "x = y"
dotted.key = 2

[table]
key = 3   # why
'single' = 4
[ table . "inner one" ]
key = [
    5,
]
[[array]]
key = 6
inline = { a = 7 }
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("dotted", "key"), 4),
        (("table",), 6),
        (("table", "key"), 7),
        (("table", "single"), 8),
        (("table", "inner one"), 9),
        (("table", "inner one", "key"), 10),
        (("array",), 13),
        (("array", "inline", "a"), 15),
        (("dotted",), 4),
        (("table", "missing"), 6),
        (("nowhere",), None),
    ],
    ids=str,
)
def test_lines(path: tuple[str, ...], line: int | None) -> None:
    assert place_of(key_lines(TEXT), path) == line
