"""`packetcrypt devices`: what can compute here."""

import json
from collections.abc import Callable

import pytest
from command_line import Ended

from packetcrypt.engine.devices import discover_devices, select_devices

Cli = Callable[..., Ended]


def test_every_device_has_a_line_and_those_of_auto_a_star(cli: Cli) -> None:
    ended = cli("devices")
    lines = ended.out.splitlines()
    assert ended.status == 0
    assert len(lines) == len(discover_devices())
    starred = [line[2:].split()[0] for line in lines if line.startswith("* ")]
    assert starred == [device.index for device in select_devices("auto")]


def test_json(cli: Cli) -> None:
    listing = json.loads(cli("devices", "--json").out)
    assert [device["index"] for device in listing] == [d.index for d in discover_devices()]
    assert {"name", "kind", "platform", "driver", "auto"} <= listing[0].keys()
    assert "numpy" in [device["index"] for device in listing]


def test_diagnose(cli: Cli) -> None:
    ended = cli("devices", "--diagnose")
    assert ended.status == 0
    titles = [line for line in ended.out.splitlines() if line.endswith(":") and line[0] != " "]
    assert titles[:4] == ["Usable devices:", "Devices that failed:", "Problems:", "OpenCL loader:"]


def test_diagnose_json(cli: Cli) -> None:
    diagnosis = json.loads(cli("devices", "--diagnose", "--json").out)
    assert diagnosis["usable"]
    assert "ld" in diagnosis["tools"]


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_what_no_device_is_called(cli: Cli, json_option: list[str]) -> None:
    ended = cli("bench", "ann", "--device", "toaster", *json_option)
    assert (ended.status, ended.out) == (2, "")
    assert "toaster" in ended.err
