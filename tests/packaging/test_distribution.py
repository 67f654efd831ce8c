"""What we publish: the wheel and the sdist hold everything, and the wheel mines by itself.

Whoever installs it has the pool's page, too.
"""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from pool_processes import LoggedProcess
from vector_files import load_vectors

ROOT = Path(__file__).parent.parent.parent
FOLDERS = (
    "protocol",
    "kernels",
    "engine",
    "client",
    "operations",
    "miner",
    "handler",
    "pool",
    "cli",
)
SUFFIXES = (".py", ".cl", ".json", ".html", ".css", ".js", ".svg")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a freshly built sdist and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return out


@pytest.fixture(scope="module")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment in which the wheel was installed."""
    (wheel,) = distributions.glob("*.whl")
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    command = [folder / "bin" / "python", "-m", "pip", "install", "-q", f"{wheel}[pocl]"]
    subprocess.run(command, check=True)
    return folder / "bin"


def _sources() -> set[str]:
    """Every file that must travel, relative to the repository."""
    return {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SUFFIXES or path.name == "py.typed"
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


def test_the_installed_wheel_mines_a_known_job(installed: Path, tmp_path: Path) -> None:
    job = load_vectors("ann_jobs")["jobs"][1]
    output = tmp_path / "announcements.bin"
    command = [
        installed / "packetcrypt",
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


def test_the_installed_wheel_serves_the_pools_page(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    settings = tmp_path / "pool.toml"
    # Nobody listens at port 1: a master without its node has no work, and a page that says so.
    settings.write_text(
        'master_url = "http://127.0.0.1"\n'
        f'root_workdir = "{tmp_path / "work"}"\n'
        'paymaker_http_password = "between loopback services"\n'
        "[pktd]\n"
        'url = "http://127.0.0.1:1"\n'
        'user = "x"\n'
        'password = "between loopback services"\n'
        "[master]\n"
        'bind = "127.0.0.1:0"\n'
        'paymaker_url = "http://127.0.0.1:1"\n'
    )
    with LoggedProcess(installed / "packetcrypt", "master", "-C", settings) as master:
        line = master.lines[master.wait_for(lambda line: "master answers at" in line)]
        port = re.search(r"\(port (\d+)\)", line)
        assert port is not None
        url = f"http://127.0.0.1:{port[1]}"
        page = _get(url + "/", "text/html")
        assert "The pool’s node has" in page
        assert "Mining block" in page
        linked = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
        kinds = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
        assert {path.partition("?")[0].rpartition(".")[2] for path in linked} == set(kinds)
        for path in set(linked):
            assert _get(url + path, kinds[path.partition("?")[0].rpartition(".")[2]])


def _get(url: str, media_type: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.headers.get_content_type() == media_type
        return str(answer.read().decode())
