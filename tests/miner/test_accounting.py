"""Every announcement is counted in exactly one place."""

from hypothesis import given
from hypothesis import strategies as st

from packetcrypt.client.submit import PostOutcome
from packetcrypt.miner.accounting import FoundCounts, PoolAccount, PoolCounts

numbers = st.integers(0, 10_000)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers, numbers), max_size=10))
def test_what_is_counted_adds_up(posts: list[tuple[int, int, int, int, int]]) -> None:
    account = PoolAccount()
    for accepted, rejected, overloaded, lost, dropped in posts:
        sent = accepted + rejected + overloaded + lost
        account.drop(dropped)
        account.begin_upload(sent)
        account.end_upload(sent, PostOutcome(accepted, rejected, overloaded, lost))
    assert account.uploading == 0
    assert account.counts.settled == sum(sum(post) for post in posts)
    assert account.counts.sent_bytes == 1024 * sum(sum(post[:3]) for post in posts)


def test_a_window_is_the_difference_of_two_readings() -> None:
    account = PoolAccount()
    account.end_upload(3, PostOutcome(accepted=3))
    earlier = account.counts
    account.end_upload(4, PostOutcome(accepted=1, rejected=3))
    assert account.counts.since(earlier) == PoolCounts(accepted=1, rejected=3, sent_bytes=4096)


def test_uploading_is_what_began_and_did_not_end() -> None:
    account = PoolAccount()
    account.begin_upload(5)
    account.begin_upload(7)
    account.end_upload(5, PostOutcome(accepted=5))
    assert account.uploading == 7


def test_nothing_settled_has_no_goodrate() -> None:
    assert PoolCounts().goodrate is None
    assert PoolCounts(accepted=1, lost=3).goodrate == 0.25


def test_finds_stand_for_hashes() -> None:
    earlier = FoundCounts().plus(10, work=128)
    assert earlier.plus(1, work=2).since(earlier) == FoundCounts(announcements=1, hashes=2)
