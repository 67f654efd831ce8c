"""`packetcrypt sprayer`: what is refused at the start, and how it is stopped."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import COMMAND, Ended
from pool_processes import LoggedProcess
from sprayer_peers import Peer, joined_records, made_up_announcements

Cli = Callable[..., Ended]

SPRAYER = """\
[sprayer.s0]
passwd = "spray"
bind = "127.0.0.1:0"
"""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it has no sprayer: add a table"),
        (SPRAYER, "the sprayer has nothing to pass on"),
        (SPRAYER + "colour = 1\n", 'pool.toml:4: "colour" is no setting in [sprayer.s0]'),
        (SPRAYER + 'subscribe = ["a"]\n', 'pool.toml:4: subscribe = ["a"]: "a" is no UDP address'),
    ],
)
def test_settings_that_cannot_work(cli: Cli, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "pool.toml"
    file.write_text(content)
    ended = cli("sprayer", "-C", file)
    assert (ended.status, ended.out) == (2, "")
    assert message in " ".join(ended.err.split())


def test_a_port_that_is_taken(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "pool.toml"
    with Peer() as taken:
        settings = SPRAYER.replace("127.0.0.1:0", str(taken.endpoint))
        file.write_text(settings + 'subscribe = ["127.0.0.1:9"]\n')
        ended = cli("sprayer", "-C", file, "s0")
    assert ended.status == 2
    assert f'"{taken.endpoint}": cannot receive UDP there' in ended.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_passes_on_until_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    announcements = made_up_announcements(3)
    file = tmp_path / "pool.toml"
    with Peer() as source, Peer() as miner:
        file.write_text(
            SPRAYER + f'subscribe = ["{source.endpoint}"]\nsubscribe_passwd = "source"\n'
            f'spray_at = ["{miner.endpoint}"]\n'
        )
        with LoggedProcess(COMMAND, "sprayer", "-C", file) as sprayer:
            asked, subscriber = source.next_subscription()
            source.udp.sendto(joined_records(range(3), announcements), subscriber)
            _, records = miner.receive(3)
            assert sprayer.stop(number) == 0

    assert asked.password == "source"
    assert (records["announcement"] == announcements).all()
    assert not any("Traceback" in line for line in sprayer.lines)
