"""Who can ask a URL, as far as its text says."""

import pytest

from packetcrypt.pool.url_reach import Place, Reach, reach_of


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        ("0.0.0.0", Reach.NOWHERE),
        ("::", Reach.NOWHERE),
        ("127.0.0.1", Reach.MACHINE),
        ("127.9.9.9", Reach.MACHINE),
        ("::1", Reach.MACHINE),
        ("localhost", Reach.MACHINE),
        ("ah0.localhost", Reach.MACHINE),
        ("10.0.0.7", Reach.NETWORK),
        ("192.168.1.7", Reach.NETWORK),
        ("100.64.0.7", Reach.NETWORK),
        ("169.254.0.7", Reach.NETWORK),
        ("fd00::7", Reach.NETWORK),
        ("master", Reach.NETWORK),
        ("pool.lan", Reach.NETWORK),
        ("pool.Internal.", Reach.NETWORK),
        ("8.8.8.8", Reach.WORLD),
        ("2001:4860:4860::8888", Reach.WORLD),
        ("pool.example", Reach.WORLD),
    ],
)
def test_reach(host: str, reach: Reach) -> None:
    assert reach_of(host) is reach


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://Pool.example", Place("pool.example", 80, "")),
        ("https://pool.example/a/", Place("pool.example", 443, "/a")),
        ("http://[::1]:8081/a", Place("::1", 8081, "/a")),
        ("http://x:y@pool.example:80/", Place("pool.example", 80, "")),
    ],
)
def test_places(url: str, place: Place) -> None:
    assert Place.of(url) == place
