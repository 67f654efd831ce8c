"""`packetcrypt demo`: a whole pool for some seconds."""

import re
import signal
import subprocess

from command_line import COMMAND, interrupt_command, run_command


def test_announcements_are_accepted() -> None:
    # Longer than the ten seconds after which a batch is sent, full or not.
    ended = run_command("demo", "--seconds", "12", "--device", "cpu")
    summary = dict(re.findall(r"^(\w+) {2,}(.+)$", ended.out, re.MULTILINE))
    assert ended.status == 0
    assert int(summary["accepted"]) > 0
    assert summary["rejected"] == summary["overloaded"] == "0"
    assert int(summary["announcements"].split()[0]) >= int(summary["accepted"])


def test_ctrl_c_ends_it_with_a_summary() -> None:
    with subprocess.Popen(
        [COMMAND, "demo", "--seconds", "600", "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if re.search(r"[1-9][0-9]* accepted", line):
                break
        ended = interrupt_command(process, signal.SIGINT)
    assert ended.status == 0
    assert re.search(r"^accepted +[1-9]", ended.out, re.MULTILINE)
