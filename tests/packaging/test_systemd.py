"""packaging/systemd: systemd finds nothing wrong in the units, and what they may do is little."""

import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "packaging" / "systemd"
UNITS = sorted(path.name for path in SYSTEMD.glob("*.service"))
COMMAND = "/opt/packetcrypt/bin/packetcrypt"
LARGEST_EXPOSURE = 25
"""in tenths: below 3 systemd calls it "OK" with a smile"""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.fixture
def unit(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A unit whose program exists on this machine, as an instance if it is a template."""
    text = (SYSTEMD / request.param).read_text()
    assert f"ExecStart={COMMAND} " in text
    path = tmp_path / request.param.replace("@.", "@x0.")
    path.write_text(text.replace(COMMAND, "/bin/true"))
    return path


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, indirect=True)
def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    checked = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )

    assert (checked.returncode, unit.name in checked.stderr) == (0, False), checked.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, indirect=True)
def test_a_unit_may_do_little(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={LARGEST_EXPOSURE}"]
    checked = subprocess.run([*command, unit], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", UNITS)
def test_a_template_hands_its_instance_on(name: str) -> None:
    text = (SYSTEMD / name).read_text()

    (start,) = (line for line in text.splitlines() if line.startswith("ExecStart="))
    assert start.endswith(" %i") == ("@" in name)
    assert start.split()[1] == name.removeprefix("packetcrypt-").split(".")[0].rstrip("@")


@pytest.mark.parametrize("name", UNITS)
def test_the_page_lists_the_unit(name: str) -> None:
    page = (SYSTEMD.parents[1] / "docs" / "deployment.md").read_text()

    assert f"| `{name}` |" in page
