"""The example of docs/embedding.md runs as a user runs it."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "embed_announcements.py"


def test_the_example_mines_and_checks() -> None:
    run = subprocess.run(
        [sys.executable, EXAMPLE, "cpu"], capture_output=True, text=True, timeout=180, check=False
    )

    assert run.returncode == 0, run.stderr
    assert "500 of 500 announcements are good" in run.stdout
