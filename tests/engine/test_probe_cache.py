"""What is remembered of a probe, and what makes it forgotten."""

import json
from pathlib import Path

import pytest

from packetcrypt.engine import probe, probe_cache
from packetcrypt.engine.device_info import numpy_device
from packetcrypt.engine.opencl_devices import list_opencl
from packetcrypt.engine.probe import probe_opencl

DEVICE = numpy_device()


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_was_kept_is_loaded() -> None:
    probe_cache.save([DEVICE], "/usr/lib/libOpenCL.so.1")

    kept = probe_cache.load()

    assert kept is not None
    assert kept.identities == (DEVICE.identity,)
    assert kept.loader == "/usr/lib/libOpenCL.so.1"


def test_nothing_kept_is_none() -> None:
    assert probe_cache.load() is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PATH", "/nonexistent"),  # the linker is gone
        ("POCL_CACHE_DIR", "/elsewhere"),
        ("OCL_ICD_VENDORS", "/other/drivers"),
        ("HOME", "/other/home"),
    ],
)
def test_a_changed_environment_makes_it_forgotten(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    probe_cache.save([DEVICE], None)

    monkeypatch.setenv(variable, value)

    assert probe_cache.load() is None


def test_another_driver_makes_it_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probe_cache, "VENDORS_FOLDER", tmp_path / "vendors")
    probe_cache.save([DEVICE], None)

    (tmp_path / "vendors").mkdir()
    (tmp_path / "vendors" / "new.icd").write_text("libnew.so")

    assert probe_cache.load() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"fingerprint": 5}'])
def test_a_damaged_file_is_nothing(cache_folder: Path, text: str) -> None:
    probe_cache.save([DEVICE], None)
    (file,) = cache_folder.rglob("*.json")

    file.write_text(text)

    assert probe_cache.load() is None


@pytest.mark.parametrize("damage", [{"devices": None}, {"devices": [5]}])
def test_an_answer_of_another_form_is_nothing(
    cache_folder: Path, damage: dict[str, object]
) -> None:
    probe_cache.save([DEVICE], None)
    (file,) = cache_folder.rglob("*.json")

    file.write_text(json.dumps(json.loads(file.read_text()) | damage))

    assert probe_cache.load() is None


def test_a_user_without_a_home_gets_no_folder_of_that_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(probe_cache.platformdirs, "user_cache_path", lambda name: Path("~") / name)

    probe_cache.save([DEVICE], None)

    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))

    probe_cache.save([DEVICE], None)

    assert probe_cache.load() is None


def test_a_remembered_probe_spares_the_child_process(monkeypatch: pytest.MonkeyPatch) -> None:
    present = [info for info, _ in list_opencl().devices]
    probe_cache.save(present, "/usr/lib/libOpenCL.so.1")
    probe_opencl.cache_clear()
    monkeypatch.setattr(probe, "run_probe", None)

    report = probe_opencl()

    probe_opencl.cache_clear()
    assert [info.identity for info in report.usable] == [info.identity for info in present]
    assert report.loader == "/usr/lib/libOpenCL.so.1"
    assert report.flawless


def test_other_devices_than_remembered_are_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    probe_cache.save([DEVICE], None)
    probe_opencl.cache_clear()

    report = probe_opencl()

    probe_opencl.cache_clear()
    assert DEVICE.identity not in [device.identity for device in report.usable]
    assert report.flawless
