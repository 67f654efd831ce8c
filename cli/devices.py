"""`packetcrypt devices`: what can compute here, and why something cannot."""

import json
from dataclasses import asdict

import click

from packetcrypt.engine.device_info import DeviceInfo
from packetcrypt.engine.devices import discover_devices, select_devices
from packetcrypt.engine.diagnosis import diagnose


@click.command(name="devices")
@click.option("--diagnose", "explain", is_flag=True, help="Explain what was looked for and found.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def command(explain: bool, as_json: bool) -> None:
    """List the devices that can mine; `*` marks what --device auto takes."""
    if explain:
        diagnosis = diagnose()
        text = json.dumps(diagnosis.as_json(), indent=2) if as_json else diagnosis.as_text()
        click.echo(text)
        return
    devices = discover_devices()
    chosen = select_devices("auto", devices)
    if as_json:
        listing = [{**asdict(device), "auto": device in chosen} for device in devices]
        click.echo(json.dumps(listing, indent=2))
        return
    for device in devices:
        click.echo(_line(device, device in chosen))


def _line(device: DeviceInfo, chosen: bool) -> str:
    memory = f", {device.memory / 2**30:.1f} GiB" if device.memory else ""
    return (
        f"{'*' if chosen else ' '} {device.index:6} {device.kind:5}  {device.name}  "
        f"({device.platform}, driver {device.driver}, {device.compute_units} compute units{memory})"
    )
