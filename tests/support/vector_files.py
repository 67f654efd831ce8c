"""Reads the known answers of tests/vectors (their README says where they come from)."""

import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent.parent / "vectors"


def load_vectors(name: str) -> Any:
    """The decoded JSON of `tests/vectors/<name>.json`."""
    return json.loads((VECTORS / f"{name}.json").read_text())
