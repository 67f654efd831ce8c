"""The floors of the project: imports go down, and only through the name `packetcrypt`."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "protocol": 2,
    "kernels": 3,
    "engine": 4,
    "client": 5,
    "operations": 5,
    "handler": 6,
    "miner": 6,
    "pool": 7,
    "cli": 8,
}
MODULES = sorted(path for folder in FLOORS for path in (ROOT / folder).rglob("*.py"))
EVERYWHERE = sorted(
    {*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")}
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imported(path: Path) -> list[str]:
    """Absolute names of all modules that a file imports, also inside functions."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}:{node.lineno}: relative import"
            names.append(node.module or "")
    return names


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_only_go_down(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    for name in _imported(path):
        if name.startswith("packetcrypt."):
            folder = name.split(".")[1]
            assert folder == own or FLOORS[folder] < FLOORS[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", EVERYWHERE, ids=_name)
def test_no_bare_imports_of_our_folders(path: Path) -> None:
    bare = {name for name in _imported(path) if name.split(".")[0] in FLOORS}
    assert not bare, f"write packetcrypt.… instead of {bare}"


@pytest.mark.parametrize("folder", sorted(FLOORS))
def test_every_subpackage_is_typed(folder: str) -> None:
    assert (ROOT / folder / "py.typed").is_file()
