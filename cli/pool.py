"""`packetcrypt pool check`: whether a pool's settings are possible and agree with each other."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from packetcrypt.cli.options import settings_options
from packetcrypt.handler.settings_overrides import Override
from packetcrypt.pool.settings_check import SettingsReport, check_settings
from packetcrypt.pool.settings_findings import Finding

EXIT_FINDINGS: Final = 1


@click.group(name="pool")
def command() -> None:
    """Look after the settings of a whole pool."""


@command.command()
@settings_options
@click.option(
    "--ask-master",
    is_flag=True,
    help="Compare with the running master, too: does it list the handlers, in this order?",
)
@click.option("--ask-node", is_flag=True, help="Ask pktd, too: does it answer?")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(
    config: Path,
    overrides: tuple[Override, ...],
    ask_master: bool,
    ask_node: bool,
    as_json: bool,
) -> int:
    """Verify a settings file: every table, and that the tables agree with each other.

    A line a finding says where, what is wrong, and what to do. Exit status: 0 if there is no error
    (warnings are none), 1 if there is one, 2 if the file cannot be read.
    """
    report = asyncio.run(
        check_settings(config, overrides, asks_master=ask_master, asks_node=ask_node)
    )
    if as_json:
        click.echo(json.dumps(_as_json(report)))
    else:
        _print(config, report)
    return 0 if report.is_good else EXIT_FINDINGS


def _as_json(report: SettingsReport) -> dict[str, object]:
    return {
        "ok": report.is_good,
        "services": [asdict(service) for service in report.services],
        "findings": [_finding_as_json(finding) for finding in report.findings],
    }


def _finding_as_json(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "severity": finding.severity.value}


def _print(config: Path, report: SettingsReport) -> None:
    for finding in report.findings:
        click.echo(str(finding))
    width = max((len(service.table) for service in report.services), default=0)
    for service in report.services:
        private = f", privately at {service.private_bind}" if service.private_bind else ""
        found = f", found at {service.url}" if service.url else ""
        click.echo(f"{service.table:{width}}  listens at {service.bind}{private}{found}")
    verdict = "can work" if report.is_good else "cannot work like this"
    click.echo(f"{config}: {verdict}")
