"""What was sprayed lately is known, and what was sprayed long ago is not."""

from sprayer_peers import made_up_announcements

from packetcrypt.handler.recent_announcements import RecentAnnouncements


def test_an_announcement_is_new_once() -> None:
    recent = RecentAnnouncements()
    announcements = made_up_announcements(5)

    assert recent.add(announcements[[0, 1, 0, 2]]).tolist() == [True, True, False, True]
    assert recent.add(announcements[[3, 2, 4, 0]]).tolist() == [True, False, True, False]


def test_none_is_none() -> None:
    assert len(RecentAnnouncements().add(made_up_announcements(0))) == 0


def test_the_last_ones_are_known_and_memory_is_bounded() -> None:
    recent = RecentAnnouncements(capacity=10)
    announcements = made_up_announcements(100)
    for first in range(0, 100, 5):
        assert recent.add(announcements[first : first + 5]).all()

    assert not recent.add(announcements[90:]).any()
    assert recent.add(announcements[:80]).all()
