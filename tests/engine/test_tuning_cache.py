"""What is remembered of a tuning, and what makes it forgotten."""

import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from packetcrypt.engine import tuning_cache
from packetcrypt.engine.device_info import DeviceInfo, DeviceKind
from packetcrypt.engine.opening import default_tuning, tuning_of
from packetcrypt.kernels.tuning import Tuning
from packetcrypt.protocol.errors import ConfigError

DEVICE = DeviceInfo(
    kind=DeviceKind.CPU,
    name="a processor",
    platform="a platform",
    driver="3.0",
    index="0:0",
    compute_units=4,
    memory=0,
)
TUNED = Tuning(batch=512, work_items=8, rounds=5, launches=3)


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_what_was_kept_is_loaded(cache_folder: Path) -> None:
    file = tuning_cache.save(DEVICE, 4, TUNED)

    assert tuning_cache.load(DEVICE, 4) == TUNED
    assert cache_folder in file.parents
    assert [path.name for path in file.parent.iterdir()] == ["tuning.json"], "nothing aside is left"


@pytest.mark.parametrize(
    ("what", "value"), [("driver", "3.1"), ("name", "another"), ("platform", "another")]
)
def test_for_another_device_or_driver_there_is_none(what: str, value: str) -> None:
    tuning_cache.save(DEVICE, 4, TUNED)

    assert tuning_cache.load(replace(DEVICE, **{what: value}), 4) is None  # type: ignore[arg-type]


def test_for_another_number_of_cores_there_is_none() -> None:
    tuning_cache.save(DEVICE, 4, TUNED)

    assert tuning_cache.load(DEVICE, 2) is None


def test_another_version_of_ours_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    tuning_cache.save(DEVICE, 4, TUNED)

    monkeypatch.setattr(tuning_cache, "version", lambda package: "99.0")

    assert tuning_cache.load(DEVICE, 4) is None


def test_the_place_on_the_bus_does_not_matter() -> None:
    tuning_cache.save(DEVICE, 4, TUNED)

    assert tuning_cache.load(replace(DEVICE, index="1:2", memory=5), 4) == TUNED


def test_a_new_finding_replaces_the_old_and_leaves_others() -> None:
    tuning_cache.save(DEVICE, 4, TUNED)
    tuning_cache.save(DEVICE, 2, TUNED)

    tuning_cache.save(DEVICE, 4, replace(TUNED, batch=256))

    assert tuning_cache.load(DEVICE, 4) == replace(TUNED, batch=256)
    assert tuning_cache.load(DEVICE, 2) == TUNED
    assert len(json.loads(tuning_cache.file().read_text())) == 2


def test_forgetting_drops_all_of_a_device_and_no_other() -> None:
    other = replace(DEVICE, name="another")
    tuning_cache.save(DEVICE, 4, TUNED)
    tuning_cache.save(replace(DEVICE, driver="2.9"), 2, TUNED)
    tuning_cache.save(other, 4, TUNED)

    assert tuning_cache.forget(DEVICE) == 2

    assert tuning_cache.load(DEVICE, 4) is None
    assert tuning_cache.load(other, 4) == TUNED
    assert tuning_cache.forget(DEVICE) == 0


@pytest.mark.parametrize("text", ["", "{", "{}", "5", "[5]", "\0"])
def test_a_damaged_file_is_ignored_with_a_line(caplog: pytest.LogCaptureFixture, text: str) -> None:
    tuning_cache.save(DEVICE, 4, TUNED).write_text(text)

    with caplog.at_level(logging.WARNING):
        assert tuning_cache.load(DEVICE, 4) is None

    assert "damaged" in caplog.text
    assert "tune again" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        {"tuning": None},
        {"tuning": {"batch": 0, "work_items": 4}},
        {"tuning": {"batch": 384, "work_items": 1 << 40}},
        {"tuning": {"batch": "384", "work_items": 4}},
        {"tuning": {"batch": True, "work_items": 4}},
        {"tuning": {"batch": 384, "work_items": 4, "speed": 9}},
        {"tuning": {"batch": 1, "work_items": 100, "group_size": 64}},
    ],
    ids=str,
)
def test_an_entry_of_another_form_is_ignored_with_a_line(
    caplog: pytest.LogCaptureFixture, damage: dict[str, Any]
) -> None:
    file = tuning_cache.save(DEVICE, 4, TUNED)
    file.write_text(json.dumps([json.loads(file.read_text())[0] | damage]))

    with caplog.at_level(logging.WARNING):
        assert tuning_cache.load(DEVICE, 4) is None

    assert "of no use" in caplog.text


def test_a_damaged_file_does_not_keep_a_new_finding_out() -> None:
    tuning_cache.save(DEVICE, 4, TUNED).write_text("{")

    tuning_cache.save(DEVICE, 4, TUNED)

    assert tuning_cache.load(DEVICE, 4) == TUNED


def test_where_nothing_can_be_written_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))

    with pytest.raises(ConfigError, match="XDG_CACHE_HOME"):
        tuning_cache.save(DEVICE, 4, TUNED)
    with pytest.raises(ConfigError, match="XDG_CACHE_HOME"):
        tuning_cache.check_writable()


def test_what_could_not_be_put_in_place_is_not_left_behind() -> None:
    tuning_cache.file().mkdir(parents=True)

    with pytest.raises(ConfigError, match="cannot be kept"):
        tuning_cache.save(DEVICE, 4, TUNED)

    assert list(tuning_cache.file().parent.iterdir()) == [tuning_cache.file()]


def test_looking_whether_it_can_be_written_changes_nothing() -> None:
    tuning_cache.save(DEVICE, 4, TUNED)

    tuning_cache.check_writable()

    assert tuning_cache.load(DEVICE, 4) == TUNED


def test_a_user_without_a_home_gets_no_folder_of_that_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tuning_cache.platformdirs, "user_cache_path", lambda name: Path("~") / name)

    with pytest.raises(ConfigError, match="no home"):
        tuning_cache.save(DEVICE, 4, TUNED)

    assert list(tmp_path.iterdir()) == []


def test_devices_are_opened_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cores = min(DEVICE.compute_units, len(os.sched_getaffinity(0)))
    assert tuning_of(DEVICE) == default_tuning(DEVICE)

    tuning_cache.save(DEVICE, cores, TUNED)

    assert tuning_of(DEVICE) == TUNED
    assert tuning_of(DEVICE, threads=cores) == TUNED
    assert tuning_of(replace(DEVICE, driver="3.1")) == default_tuning(DEVICE)
