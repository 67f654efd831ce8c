#!/usr/bin/env python3
"""How much faster is one command than another, measured in turns in the same minutes?

Runs two commands alternately; each prints, as the last line of its output, a JSON object with a
number under --field. Prints each round, both medians, median and spread of the paired ratios:
on a noisy machine the ratio of neighbours in time means more than the ratio of the best.

    benchmarks/compare.py --rounds 7 --core 1 \\
        --ours "packetcrypt bench ann --work-bits 03000001 --seconds 5 --device cpu --json" \\
        --theirs "/path/to/reference search --work-bits 03000001 --seconds 5"
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys


def measure(command: str, field: str, core: int | None) -> float:
    """Run a command, pinned to one core if asked for, and return its number."""

    def pin() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})

    finished = subprocess.run(
        shlex.split(command),
        preexec_fn=pin,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    last_line = finished.stdout.strip().splitlines()[-1]
    return float(json.loads(last_line)[field])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", required=True, metavar="COMMAND")
    parser.add_argument("--theirs", required=True, metavar="COMMAND")
    parser.add_argument("--field", default="hashes_per_second", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--core", type=int, help="run both on this core alone")
    arguments = parser.parse_args()

    ours, theirs = [], []
    for number in range(1, arguments.rounds + 1):
        ours.append(measure(arguments.ours, arguments.field, arguments.core))
        theirs.append(measure(arguments.theirs, arguments.field, arguments.core))
        print(
            f"round {number}: ours {ours[-1]:,.0f}  theirs {theirs[-1]:,.0f}  "
            f"ratio {ours[-1] / theirs[-1]:.2f}",
            flush=True,
        )
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    print(
        f"median {arguments.field}: ours {statistics.median(ours):,.0f}, "
        f"theirs {statistics.median(theirs):,.0f}; paired ratio {statistics.median(ratios):.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} rounds)"
    )


if __name__ == "__main__":
    sys.exit(main())
