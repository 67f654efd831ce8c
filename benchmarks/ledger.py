#!/usr/bin/env python3
"""How long does a paymaker with two days' history of 2 million events take to start and to answer?

    benchmarks/ledger.py --folder /tmp/ledger

fills a ledger (once: a folder that has one is used again), then starts `packetcrypt paymaker` on it
in a process of its own, several times, and measures from outside, over HTTP:

    start      from the start of the process until it has answered
    who_to_pay its answer of a moment for which it has none yet (`maxtime`)
    upload     a pay log of `--upload` new events, until it is confirmed
    after      the first such answer after an upload

No node runs; the paymaker says so and goes on. `memory` is the resident set in the end, in MiB.
"""

import argparse
import base64
import hashlib
import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from packetcrypt.pool.ledger import Ledger
from packetcrypt.pool.ledger_writing import Upload
from packetcrypt.pool.paymaker_body import PayLogBody
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.protocol.address import WitnessProgram, format_address
from packetcrypt.protocol.pool_messages import AnnouncementPostResult
from packetcrypt.protocol.primitives import h32
from packetcrypt.protocol.share_messages import BlockEvent, ShareResult

TWO_DAYS = 2 * 24 * 3_600_000
SHARES_A_BLOCK = 64
MINUTE = 60_000
EVENTS_AN_UPLOAD = 20_000
TARGET = 0x2001FFFF
PASSWORD = "measured"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the ledger is or will be")
    parser.add_argument("--events", type=int, default=2_000_000, help="default: %(default)s")
    parser.add_argument("--addresses", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--upload", type=int, default=4000, help="events (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="default: %(default)s")
    arguments = parser.parse_args()
    names = [format_address(WitnessProgram(0, h32(b"%d" % i))) for i in range(arguments.addresses)]
    ledger = arguments.folder / "paymaker" / "ledger.sqlite"
    result: dict[str, object] = {"events": arguments.events, "addresses": arguments.addresses}
    if not ledger.exists():
        ledger.parent.mkdir(parents=True)
        began = time.perf_counter()
        fill(ledger, arguments.events, names)
        result["fill_s"] = round(time.perf_counter() - began, 1)
    result["bytes_an_event"] = round(ledger.stat().st_size / arguments.events)
    runs = [measure(arguments, names) for _ in range(arguments.runs)]
    for name in runs[0]:
        values = [run[name] for run in runs]
        result[name] = [round(value, 3) for value in (statistics.median(values), max(values))]
    print(json.dumps(result))


def fill(path: Path, events: int, names: list[str]) -> None:
    """Posts evenly over two days, a block a minute, 64 shares a block."""
    chance = random.Random(1)
    now = milliseconds_now()
    blocks = TWO_DAYS // MINUTE
    posts = events - blocks * (1 + SHARES_A_BLOCK)
    with Ledger(path) as ledger:
        for first in range(0, posts, EVENTS_AN_UPLOAD):
            body = PayLogBody(
                tuple(
                    post(now - TWO_DAYS + TWO_DAYS * number // posts, chance, names)
                    for number in range(first, min(posts, first + EVENTS_AN_UPLOAD))
                ),
                (),
                (),
                (),
            )
            ledger.record(Upload(chance.randbytes(16), now, 0, body))
        for first in range(0, blocks, 300):
            times = [now - TWO_DAYS + MINUTE * n for n in range(first, min(blocks, first + 300))]
            shares = tuple(
                share(at + 900 * n, chance, names) for at in times for n in range(SHARES_A_BLOCK)
            )
            # So difficult that the window of announcements spans the two days.
            found = tuple(
                BlockEvent(hash=chance.randbytes(32), height=1, difficulty=2e6, time=at)
                for at in times
            )
            ledger.record(Upload(chance.randbytes(16), now, 0, PayLogBody((), shares, found, ())))


def post(at: int, chance: random.Random, names: list[str]) -> AnnouncementPostResult:
    return AnnouncementPostResult(
        pay_to=chance.choice(names),
        accepted=chance.randrange(1, 1024),
        duplicates=0,
        invalid=0,
        bad_hash=0,
        runt=0,
        internal_errors=0,
        unsigned=0,
        total_length=0,
        target=TARGET,
        time=at,
        event_id=chance.randbytes(16).hex(),
    )


def share(at: int, chance: random.Random, names: list[str]) -> ShareResult:
    return ShareResult(
        pay_to=chance.choice(names),
        block=False,
        time=at,
        event_id=chance.randbytes(16).hex(),
        target=0x1E03FFFF,
        ann_count=1,
        ann_target=TARGET,
        encryptions=1 << 40,
    )


def measure(arguments: argparse.Namespace, names: list[str]) -> dict[str, float]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = arguments.folder / "pool.toml"
    settings.write_text(
        f"""\
master_url = "http://127.0.0.1:1/master"
root_workdir = "."
paymaker_http_password = "{PASSWORD}"
[pktd]
url = "http://127.0.0.1:1"
user = "x"
password = "x"
[paymaker]
default_address = "{names[0]}"
error_address = "{names[0]}"
bind = "127.0.0.1:{port}"
"""
    )
    command = [Path(sys.executable).parent / "packetcrypt", "paymaker", "-C", settings]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            time.sleep(0.02)
        start = time.perf_counter() - began
        first = min(who_to_pay(port) for _ in range(3))
        body = b"".join(event(names, number) for number in range(arguments.upload))
        upload = timed("POST", "/events", port, body)
        after = who_to_pay(port)
        memory = resident(process.pid)
    finally:
        process.terminate()
        process.wait()
    return {
        "start_s": start,
        "who_to_pay_s": first,
        "upload_s": upload,
        "after_s": after,
        "memory_MiB": memory,
    }


def event(names: list[str], number: int) -> bytes:
    chance = random.Random()
    return json.dumps(post(milliseconds_now() + number, chance, names).as_json()).encode() + b"\n"


def answers(port: int) -> bool:
    try:
        timed("GET", "/stats", port)
    except (ConnectionError, AssertionError):
        # Nobody listens yet, or somebody else does who was quicker to take a free port.
        return False
    return True


def who_to_pay(port: int) -> float:
    return timed("GET", f"/whotopay?maxtime={milliseconds_now()}", port)


def timed(method: str, path: str, port: int, body: bytes = b"") -> float:
    """Seconds until the answer is there; it must be a good one."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    credentials = base64.b64encode(f"x:{PASSWORD}".encode()).decode()
    connection.request(method, path, body, {"Authorization": f"Basic {credentials}"})
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 200, answer[:200]
    if body:
        event_id = json.loads(answer)["result"]["eventId"]
        assert event_id == hashlib.sha256(body).hexdigest()[:32]
    connection.close()
    return time.perf_counter() - began


def resident(process: int) -> float:
    """MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
