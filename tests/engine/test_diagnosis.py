"""The diagnosis: the facts that explain which devices are found."""

import json
from pathlib import Path

import pytest

from packetcrypt.engine.diagnosis import Diagnosis, diagnose


def test_it_tells_what_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCL_DEBUG", "0")
    monkeypatch.setenv("SECRET", "not to be told")

    diagnosis = diagnose()

    text = diagnosis.as_text()
    assert "Portable Computing Language" in text
    assert diagnosis.loader is not None
    assert diagnosis.loader in text
    assert "/etc/OpenCL/vendors" in text
    assert "POCL_DEBUG=0" in text
    assert f"ld: {diagnosis.tools['ld']}" in text
    assert "not to be told" not in text


def test_its_json_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POCL_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    told = json.loads(json.dumps(diagnose().as_json()))

    assert told["usable"] == []
    (failed,) = told["unusable"]
    assert failed["device"]["platform"] == "Portable Computing Language"
    assert "linker ld" in failed["cause"]
    assert "apt install" in failed["remedy"]
    assert told["tools"] == {"ld": None, "gcc": None, "clinfo": None}


def test_it_says_what_is_compiled_for_in_the_place_of_an_unknown_processor() -> None:
    told = {"0:0": "icelake-server"}

    diagnosis = Diagnosis((), (), (), told, None, vendor_files={}, variables={}, tools={})

    assert "Device 0:0: its compiler is older than this processor" in diagnosis.as_text()
    assert "as for icelake-server" in diagnosis.as_text()
    assert diagnosis.as_json()["told"] == told
