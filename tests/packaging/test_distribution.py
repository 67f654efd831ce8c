"""What we publish: the wheel and the sdist hold everything, and the wheel mines by itself."""

import hashlib
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from vector_files import load_vectors

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("protocol", "kernels", "engine", "client", "miner", "handler", "pool", "cli")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a freshly built sdist and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def _sources() -> set[str]:
    """Every file that must travel, relative to the repository."""
    return {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".cl", ".json") or path.name == "py.typed"
    }


def test_the_wheel_holds_every_module_kernel_and_data_file(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"packetcrypt/{name}" for name in _sources()} <= names
    assert any(name.endswith("announcement_search.cl") for name in names)


def test_the_wheel_installs_nothing_beside_packetcrypt(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"packetcrypt"}


def test_the_sdist_holds_every_source(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert _sources() | {"pyproject.toml", "LICENSE", "README.md"} <= names


def test_the_installed_wheel_mines_a_known_job(distributions: Path, tmp_path: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    bin_folder = tmp_path / "venv" / "bin"
    subprocess.run(
        [bin_folder / "python", "-m", "pip", "install", "-q", f"{wheel}[pocl]"], check=True
    )
    job = load_vectors("ann_jobs")["jobs"][1]
    output = tmp_path / "announcements.bin"
    command = [
        bin_folder / "packetcrypt",
        "job",
        *("--parent-hash", job["parent_block_hash"]),
        *("--parent-height", str(job["parent_block_height"])),
        *("--work-bits", job["work_bits"]),
        *("--hard-nonce", str(job["hard_nonce"])),
        *("--signing-key", job["signing_key"]),
        *("--content-type", str(job["content_type"])),
        *("--content-length", str(job["content_length"])),
        *("--last", str(job["searched_end"] - 1)),
        *("--device", "cpu"),
        *("-o", str(output)),
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    mined = output.read_bytes()
    assert len(mined) == 1024 * job["count"]
    digest = hashlib.blake2b(mined, digest_size=32).hexdigest()
    assert digest == job["anns_blake2b_256"]
