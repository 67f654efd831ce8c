"""When a handler is taken to be in its master's list."""

from pathlib import Path

import pytest
from block_setup import block_handler_settings

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.listing import Listing

OWN = "http://pool.example/bh0/submit"
OTHER = "http://other.example/submit"


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    pktd = PktdSettings(user="u", password="p")
    settings = block_handler_settings(tmp_path, "http://pool.example/master", pktd)
    return Listing(settings, "nobody comes")


@pytest.mark.parametrize(
    ("urls", "number"),
    [
        ((OWN,), 0),
        ((OTHER, OWN), 1),
        ((OTHER, OWN + "/"), 1),
        ((), None),
        ((OTHER,), None),
        ((OWN.removesuffix("/submit"),), None),
    ],
)
def test_the_number_is_the_place_in_the_list(
    listing: Listing, urls: tuple[str, ...], number: int | None
) -> None:
    assert listing.number_in(urls) == number


def test_what_must_be_listed_is_said_and_that_it_is(
    listing: Listing, caplog: pytest.LogCaptureFixture
) -> None:
    listing.number_in(())
    assert "so that nobody comes: its submitBlockUrls must contain " + OWN in caplog.text
    assert "but are empty" in caplog.text

    listing.number_in((OWN,))
    assert "the master lists this handler now" in caplog.text
