"""The probe against runtimes that are really broken, each in the way that users met."""

from pathlib import Path

import pytest

from packetcrypt.engine.probe import run_probe


@pytest.fixture
def fresh_pocl_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A kernel cache that knows nothing, so that PoCL must compile and link."""
    monkeypatch.setenv("POCL_CACHE_DIR", str(tmp_path / "pocl"))
    return tmp_path


def test_this_machine_is_flawless() -> None:
    report = run_probe()

    assert report.flawless
    assert "Portable Computing Language" in [device.platform for device in report.usable]
    assert report.loader is not None
    assert "libOpenCL" in report.loader


@pytest.mark.usefixtures("fresh_pocl_cache")
def test_a_missing_linker_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # PoCL aborts its process now

    report = run_probe()

    assert report.usable == ()
    ((device, problem),) = report.unusable
    assert device.platform == "Portable Computing Language"
    assert "linker ld" in problem.cause
    assert "apt install gcc binutils" in problem.remedy


@pytest.mark.usefixtures("fresh_pocl_cache")
def test_a_linker_without_gccs_libraries_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # binutils without gcc: the real ld says this of a library that is not there.
    linker = tmp_path / "ld"
    linker.write_text("#!/bin/sh\nexec /usr/bin/ld -o /dev/null -L/nonexistent -lgcc_missing\n")
    linker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    report = run_probe()

    ((_, problem),) = report.unusable
    assert "library of gcc is missing" in problem.cause
    assert "lgcc_missing" in problem.cause
    assert "apt install gcc binutils" in problem.remedy


@pytest.mark.parametrize("variable", ["POCL_CACHE_DIR", "XDG_CACHE_HOME", "HOME"])
def test_an_unwritable_kernel_cache_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    for name in ("POCL_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(file / "below a file, where not even root can write"))

    report = run_probe()

    assert report.usable == ()
    (problem,) = report.problems
    assert "cannot write its kernel cache" in problem.cause
    assert variable in problem.cause
    assert "Set POCL_CACHE_DIR" in problem.remedy


def test_a_child_that_cannot_be_started_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "absent"))

    report = run_probe()

    assert report.usable == ()
    (problem,) = report.problems
    assert "cannot be started" in problem.cause
    assert str(tmp_path / "absent") in problem.remedy


def test_a_hanging_driver_is_given_up() -> None:
    report = run_probe(timeout=0.01)

    assert report.usable == ()
    (problem,) = report.problems
    assert "took more than" in problem.cause
