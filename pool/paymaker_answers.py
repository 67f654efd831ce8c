"""What the paymaker says in JSON: `GET /whotopay`, with the reasons for each address (spec 2).

The fields of the protocol come as it names them; `windows`, `why`, `poolFeeAddress` and
`defaultAddress` are ours.
"""

from typing import Any, Final

import numpy as np

from packetcrypt.pool.paymaker_body import is_payable
from packetcrypt.pool.paymaker_history import Snapshot
from packetcrypt.pool.paymaker_report import Miners, WhoToPay
from packetcrypt.pool.payout_credits import Reals
from packetcrypt.pool.payout_walk import Window

_HOUR: Final = 3_600_000


def who_to_pay_as_json(
    report: WhoToPay, *, history: int, generated: int, latest_payout: int | None
) -> dict[str, Any]:
    """The object for `json.dumps`.

    history       : milliseconds that the memory reaches back
    generated     : now, latest_payout: when the node last took a payout; milliseconds since 1970
    """
    snapshot, at = report.snapshot, report.at
    wins = [win for win in snapshot.wins if win.time <= at]
    last = wins[-1] if wins else None
    hours = _hours_known(report, history)
    encryptions = (
        report.block_miners.encryptions.sum() + report.announcement_miners.encryptions.sum()
    )
    return {
        "warn": _warnings(report),
        "error": [],
        "totalKbps": float(report.announcement_miners.kbps.sum()),
        "blocksPerHour": _in_history(snapshot.blocks["time"], at, history) / hours,
        "winsPerHour": _in_history(np.array([win.time for win in wins]), at, history) / hours,
        "totalEncryptionsPerSecond": float(encryptions),
        "blkPayoutWarmupPeriod": _length(report.blocks, at),
        "annPayoutWarmupPeriod": _length(report.announcements, at),
        "generatedAt": generated,
        "latestPayout": latest_payout,
        "lastWonBlock": None if last is None or last.hash is None else last.hash[::-1].hex(),
        "lastWonBlockTime": None if last is None else last.time,
        "annMinerStats": _announcement_miners(report),
        "blkMinerStats": _block_miners(report),
        "result": report.payout,
        "poolFee": report.rules.pool_fee,
        "poolFeeAddress": report.rules.pool_fee_address or None,
        "defaultAddress": report.rules.default_address,
        "blockMiners": int(np.count_nonzero(report.blocks.credits)),
        "annMiners": int(np.count_nonzero(report.announcements.credits)),
        "windows": {
            "blocks": _window(report.blocks),
            "announcements": _window(report.announcements),
        },
        "why": _reasons(report),
    }


def unpayable(report: WhoToPay) -> list[str]:
    """Names in the windows that the node cannot pay; the default address gets their part."""
    (numbers,) = np.nonzero(report.blocks.credits + report.announcements.credits)
    names = (report.snapshot.addresses[number] for number in numbers)
    return [name for name in names if not is_payable(name)]


def _warnings(report: WhoToPay) -> list[str]:
    warnings = []
    if names := unpayable(report):
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        warnings.append(
            f"{len(names)} miners gave no PKT address ({shown}): default_address is paid for them"
        )
    if report.snapshot.first_difficulty is None and not len(report.snapshot.blocks):
        warnings.append(
            "there was no block event, and the node has not said the difficulty yet: nothing counts"
        )
    return warnings


def _hours_known(report: WhoToPay, history: int) -> float:
    """Of how many hours the history tells: since its first event, an hour at least."""
    begin = report.at - history
    snapshot = report.snapshot
    oldest = [
        int(rows["time"][0])
        for rows in (snapshot.announcements, snapshot.shares, snapshot.blocks)
        if len(rows)
    ]
    return max(report.at - max(begin, min(oldest, default=begin)), _HOUR) / _HOUR


def _in_history(times: Any, at: int, history: int) -> int:
    return int(np.count_nonzero((times > at - history) & (times <= at)))


def _length(window: Window, at: int) -> float:
    """Seconds from the oldest paid work until now."""
    return 0.0 if window.begin is None else (at - window.begin) / 1000


def _window(window: Window) -> dict[str, Any]:
    return {
        "from": window.begin,
        "to": window.end,
        "credits": float(window.credits.sum()),
        "share": float(window.fractions.sum()),
    }


def _announcement_miners(report: WhoToPay) -> dict[str, Any]:
    miners, window, at = report.announcement_miners, report.announcements, report.at
    begin = at if window.begin is None else window.begin
    return {
        name: {
            "kbps": float(miners.kbps[number]),
            "warmupPercent": _percent(at - int(miners.first[number]), at - begin),
            "currentEncryptionsPerSecond": float(miners.encryptions[number]),
            "lastSeen": int(miners.last[number]),
            "credits": float(window.credits[number]),
        }
        for number, name in _seen(miners, report.snapshot)
    }


def _block_miners(report: WhoToPay) -> dict[str, Any]:
    miners = report.block_miners
    return {
        name: {
            "currentEncryptionsPerSecond": float(miners.encryptions[number]),
            "lastSeen": int(miners.last[number]),
            "credits": float(report.blocks.credits[number]),
        }
        for number, name in _seen(miners, report.snapshot)
    }


def _seen(miners: Miners, snapshot: Snapshot) -> list[tuple[int, str]]:
    return [(int(number), snapshot.addresses[number]) for number in np.nonzero(miners.events)[0]]


def _percent(part: int, whole: int) -> float:
    """How much of the window a miner has been there; all of it, where there is no window yet."""
    return 100.0 if whole <= 0 else 100.0 * min(1.0, max(0, part) / whole)


def _reasons(report: WhoToPay) -> dict[str, Any]:
    """For each name with credits: both sides' credits and shares of the payout, after the fee."""
    sides = {"blocks": report.blocks, "announcements": report.announcements}
    after_fee = 1 - report.rules.pool_fee
    earned: Reals = sum((side.credits for side in sides.values()), np.zeros(1))
    return {
        report.snapshot.addresses[number]: {
            "payable": is_payable(report.snapshot.addresses[number]),
            **{
                name: {
                    "credits": float(side.credits[number]),
                    "share": float(side.fractions[number]) * after_fee,
                }
                for name, side in sides.items()
            },
        }
        for number in np.nonzero(earned)[0]
    }
