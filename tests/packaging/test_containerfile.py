"""packaging/Containerfile: hadolint finds nothing to say. The image is not built here."""

import subprocess
import sys
from pathlib import Path

CONTAINERFILE = Path(__file__).parents[2] / "packaging" / "Containerfile"
HADOLINT = Path(sys.executable).parent / "hadolint"


def test_hadolint_has_nothing_to_say() -> None:
    linted = subprocess.run(
        [HADOLINT, "--no-color", CONTAINERFILE], capture_output=True, text=True, check=False
    )

    assert (linted.returncode, linted.stdout) == (0, "")
