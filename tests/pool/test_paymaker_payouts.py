"""How the node learns whom to pay, over real HTTP, and what is done when it does not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from paymaker_setup import ALICE, ERROR, POOL, body, paymaker, paymaker_settings, share
from pktd_stand_in import Fault, PktdStandIn, pktd_stand_in

from packetcrypt.client.pktd import pktd_client
from packetcrypt.pool.ledger_rows import LedgerRows
from packetcrypt.pool.paymaker_clock import milliseconds_now
from packetcrypt.pool.paymaker_history import History
from packetcrypt.pool.paymaker_payouts import Payouts
from packetcrypt.pool.paymaker_reckoning import Reckoning
from packetcrypt.pool.paymaker_statistics import PaymakerStatistics

METHOD = "configureminingpayouts"
BUSY = Fault(error=(-32603, "internal error"))
REFUSED = Fault(error=(-8, "no such address"))


@pytest.fixture
async def node() -> AsyncIterator[PktdStandIn]:
    async with pktd_stand_in() as node:
        yield node


class Told:
    """A round of telling the node, without a paymaker around it."""

    def __init__(self) -> None:
        self.statistics = PaymakerStatistics()
        self.latest: int | None = None

    async def once(self, node: PktdStandIn, folder: Path, rounds: int = 1) -> None:
        settings = paymaker_settings(node, folder, update_cycle=1e-6)
        reckoning = Reckoning(History(is_signing=False), settings)
        async with pktd_client(settings.pktd) as client:
            payouts = Payouts(client, reckoning, settings, self.statistics)
            for _ in range(rounds):
                await payouts.tell_if_due()
        self.latest = reckoning.latest_payout


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packetcrypt.pool.paymaker_payouts.RETRY_SECONDS", 0.0)


async def test_a_running_paymaker_tells_it(node: PktdStandIn, tmp_path: Path) -> None:
    async with paymaker(node, tmp_path, update_cycle=0.1) as user:
        await node.asked(METHOD)
        await user.upload(body(share(ALICE, milliseconds_now() - 10)))
        told = node.count(METHOD)
        await node.asked(METHOD, told + 2)
        _, answer = await user.get("/stats")
    assert node.payouts == pytest.approx({POOL: 1 - 1 / 12, ALICE: 1 / 12}, rel=1e-4)
    assert answer["latestPayout"] is not None


async def test_the_first_payout_is_the_default_addresss(node: PktdStandIn, tmp_path: Path) -> None:
    told = Told()
    await told.once(node, tmp_path)
    assert node.payouts == {POOL: 1.0}
    assert (told.statistics.payouts, told.statistics.error_payouts) == (1, 0)
    assert told.latest is not None


async def test_between_cycles_it_is_left_alone(node: PktdStandIn, tmp_path: Path) -> None:
    settings = paymaker_settings(node, tmp_path)
    reckoning = Reckoning(History(is_signing=False), settings)
    async with pktd_client(settings.pktd) as client:
        payouts = Payouts(client, reckoning, settings, PaymakerStatistics())
        for _ in range(3):
            await payouts.tell_if_due()
    assert node.count(METHOD) == 1


@pytest.mark.usefixtures("no_pauses")
async def test_an_internal_error_is_asked_again(node: PktdStandIn, tmp_path: Path) -> None:
    node.once[METHOD] = BUSY
    await Told().once(node, tmp_path)
    assert node.count(METHOD) == 2
    assert node.payouts == {POOL: 1.0}


@pytest.mark.usefixtures("no_pauses")
async def test_an_internal_error_that_stays(node: PktdStandIn, tmp_path: Path) -> None:
    node.faults[METHOD] = BUSY
    told = Told()
    await told.once(node, tmp_path)
    # 21 times the payout, and 21 times the error address.
    paid = [set(params[0]) for method, params in node.calls if method == METHOD]
    assert paid == [{POOL}] * 21 + [{ERROR}] * 21
    assert (told.statistics.payouts, told.statistics.error_payouts, told.latest) == (0, 0, None)


async def test_a_refused_payout_pays_the_error_address(node: PktdStandIn, tmp_path: Path) -> None:
    node.once[METHOD] = REFUSED
    told = Told()
    await told.once(node, tmp_path)
    assert node.payouts == {ERROR: 1.0}
    assert (told.statistics.payouts, told.statistics.error_payouts, told.latest) == (0, 1, None)


async def test_the_next_round_tries_again(node: PktdStandIn, tmp_path: Path) -> None:
    node.once[METHOD] = REFUSED
    await Told().once(node, tmp_path, rounds=2)
    assert node.payouts == {POOL: 1.0}


async def test_a_node_that_is_away_is_not_told_otherwise(
    node: PktdStandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node.faults[METHOD] = Fault(drops=True)
    told = Told()
    await told.once(node, tmp_path)
    assert [params for method, params in node.calls if method == METHOD] == [[{POOL: 1.0}]]
    assert "The node pays as it did before." in caplog.text
    assert told.statistics.error_payouts == 0


async def test_books_that_cannot_be_reckoned_pay_the_error_address(
    node: PktdStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake in a rule")

    monkeypatch.setattr("packetcrypt.pool.paymaker_reckoning.who_to_pay", fail)
    told = Told()
    await told.once(node, tmp_path)
    assert node.payouts == {ERROR: 1.0}
    assert told.statistics.error_payouts == 1


def test_an_empty_history_takes_nothing_up() -> None:
    history = History(is_signing=True)
    history.add(LedgerRows())
    assert history.size().events == 0
