#!/usr/bin/env python3
"""How many announcements a second does the sprayer bring from one process to another on loopback?

The sender runs on one core, the receiver on another:

    benchmarks/sprayer.py --rate 100000 --seconds 10

`lost` is what the gaps in the counters tell, `dropped` what waited too long in either process.
Buffers: Linux grants a receive buffer of net.core.rmem_max bytes, 212992 unless somebody raised it;
`--receive-buffer 106496` is what a program has that asks for none. `--plain` sends one record a
datagram and system call, as a sender does that cannot have the kernel take long buffers apart.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time

import numpy as np

from packetcrypt.client.sprayer_subscription import SprayerSubscription
from packetcrypt.client.subscription_settings import SubscriptionSettings
from packetcrypt.client.udp import Endpoint
from packetcrypt.handler.sprayer import Sprayer
from packetcrypt.handler.sprayer_settings import SprayerSettings
from packetcrypt.protocol.sprayer_messages import MAX_DATAGRAM, RECORD_SIZE

POOL = 8192
"""different announcements, which are sprayed again and again"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=10, help="default: %(default)s")
    parser.add_argument("--records", type=int, default=63, help="in a datagram (%(default)s)")
    parser.add_argument("--batch", type=int, default=1000, help="given to the sprayer at once")
    parser.add_argument("--shares", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--receive-buffer", type=int, default=212_992, help="default: %(default)s")
    parser.add_argument("--plain", action="store_true", help="one record a system call")
    parser.add_argument("--cores", type=int, nargs=2, default=(0, 1), help="sender, receiver")
    parser.add_argument("--send-from", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send_from is not None:
        send(arguments)
    else:
        receive(arguments)


def receive(arguments: argparse.Namespace) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = SubscriptionSettings(
        sprayers=(Endpoint("127.0.0.1", port),),
        shares=arguments.shares,
        receive_buffer=arguments.receive_buffer,
        bind=Endpoint("127.0.0.1", 0),
    )
    os.sched_setaffinity(0, {arguments.cores[1]})
    sender = subprocess.Popen(
        [sys.executable, *sys.argv, "--send-from", str(port)], stdout=subprocess.PIPE, text=True
    )
    with sender, SprayerSubscription(settings) as subscription:
        taken = len(subscription.get(30.0))
        began, cpu_began = time.perf_counter(), time.process_time()
        last = began
        while len(announcements := subscription.get(1.0)):
            taken += len(announcements)
            last = time.perf_counter()
            cpu = time.process_time() - cpu_began
        seconds = last - began
        statistics = subscription.statistics()
        assert sender.stdout is not None
        sent = json.loads(sender.stdout.readline())
    result = {
        "records_per_datagram": 1 if arguments.plain else arguments.records,
        "shares": arguments.shares,
        "received_per_s": round(taken / seconds),
        "seconds": round(seconds, 2),
        "received": statistics.received,
        "lost": sent["sent"] - statistics.received,
        "lost_by_counters": statistics.lost,
        "dropped": statistics.dropped,
        "receiver_cpu": round(cpu / seconds, 3),
        **{f"sender_{name}": value for name, value in sent.items()},
    }
    print(json.dumps(result))


def send(arguments: argparse.Namespace) -> None:
    os.sched_setaffinity(0, {arguments.cores[0]})
    pool = np.random.default_rng(1).integers(0, 256, (POOL, 1024), dtype=np.uint8)
    batches = [pool[i : i + arguments.batch] for i in range(0, POOL, arguments.batch)]
    if arguments.plain:
        send_plainly(arguments)
        return
    settings = SprayerSettings(
        passwd="",
        bind=f"127.0.0.1:{arguments.send_from}",
        max_rate=1_000_000_000,
        max_local_datagram=min(arguments.records * RECORD_SIZE, MAX_DATAGRAM),
    )
    with Sprayer(settings) as sprayer:
        while sprayer.statistics().receivers == 0:
            time.sleep(0.01)
        began, cpu_began = time.perf_counter(), time.process_time()
        given = 0
        while (now := time.perf_counter() - began) < arguments.seconds:
            if given < arguments.rate * now:
                batch = batches[given // arguments.batch % len(batches)]
                sprayer.spray(batch)
                given += len(batch)
            else:
                time.sleep(0.001)
        time.sleep(0.5)
        statistics = sprayer.statistics()
        cpu = (time.process_time() - cpu_began) / arguments.seconds
    report(statistics.sent, statistics.dropped, statistics.failed, cpu)


def send_plainly(arguments: argparse.Namespace) -> None:
    """As fast as it goes up to the rate, in runs of sixteen."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", arguments.send_from))
        _, subscriber = udp.recvfrom(512)
        sent = 0
        began, cpu_began = time.perf_counter(), time.process_time()
        while (now := time.perf_counter() - began) < arguments.seconds:
            if sent >= arguments.rate * now:
                time.sleep(0.0001)
                continue
            for _ in range(16):
                udp.sendto(sent.to_bytes(8, "little") + bytes(1024), subscriber)
                sent += 1
        cpu = (time.process_time() - cpu_began) / arguments.seconds
    time.sleep(0.5)
    report(sent, 0, 0, cpu)


def report(sent: int, dropped: int, failed: int, cpu: float) -> None:
    print(json.dumps({"sent": sent, "dropped": dropped, "failed": failed, "cpu": round(cpu, 3)}))


if __name__ == "__main__":
    main()
