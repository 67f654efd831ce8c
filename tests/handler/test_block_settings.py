"""What pool.toml says about a block handler and its node."""

from pathlib import Path

import pytest
from block_setup import block_handler_settings

from packetcrypt.client.pktd import PktdSettings
from packetcrypt.handler.block_settings import BlockHandlerSettings
from packetcrypt.handler.settings_file import load_ann_handler_settings, load_block_handler_settings
from packetcrypt.protocol.errors import ConfigError

TOP = """\
master_url = "http://pool.example/master"
root_workdir = "work"
paymaker_http_password = "paid by work"
"""
PKTD = """\
[pktd]
user = "pool"
password = "open sesame"
"""
HANDLER = """\
[block_handler.bh0]
public_url = "http://pool.example/bh0"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pool.toml"


def _load(file: Path, text: str, name: str | None = "bh0") -> BlockHandlerSettings:
    file.write_text(text)
    return load_block_handler_settings(file, name)


def test_what_is_not_given_has_its_default(file: Path) -> None:
    settings = _load(file, TOP + PKTD + HANDLER)

    assert settings.bind == "127.0.0.1:8083"
    assert settings.submit_url == "http://pool.example/bh0/submit"
    assert settings.workdir == file.parent / "work" / "block_handler_bh0"
    assert settings.pool.private_seed == ""
    assert settings.pktd == PktdSettings(user="pool", password="open sesame")
    assert settings.pktd.url == "http://127.0.0.1:64765"


def test_all_settings_can_be_given(file: Path) -> None:
    seed = 'private_seed = "seed"\n'
    pktd = """
        url = "https://node.example:64765"
        tls_certificate = "rpc.cert"
        timeout = 7
    """
    handler = """
        bind = "0.0.0.0:9000"
        input_queue_len = 7
        node_calls = 2
        max_connections = 9
        request_timeout = 1
        idle_timeout = 2.5
        shutdown_timeout = 3
        poll_interval = 4
        master_timeout = 5
        paylog_seconds = 8
        paylog_bytes = 9
        paymaker_timeout = 10
        statistics_interval = 11
    """
    settings = _load(file, TOP + seed + PKTD + pktd + HANDLER + handler)

    assert (settings.input_queue_len, settings.node_calls) == (7, 2)
    assert settings.pool.private_seed == "seed"
    assert settings.pktd.tls_certificate == file.parent / "rpc.cert"
    assert settings.pktd.timeout == 7


def test_a_certificate_elsewhere(file: Path) -> None:
    pktd = PKTD + 'url = "https://[::1]:64765"\ntls_certificate = "/etc/pktd/rpc.cert"\n'

    assert _load(file, TOP + pktd + HANDLER).pktd.tls_certificate == Path("/etc/pktd/rpc.cert")


def test_certificates_need_not_be_verified(file: Path) -> None:
    assert not _load(file, TOP + PKTD + "tls_verify = false\n" + HANDLER).pktd.tls_verify


def test_the_only_handler_needs_no_name(file: Path) -> None:
    assert _load(file, TOP + PKTD + HANDLER, name=None).name == "bh0"


def test_both_kinds_of_handler_live_in_one_file(file: Path) -> None:
    announcements = '[ann_handler.x]\npublic_url = "http://pool.example/x"\n'
    text = TOP + PKTD + HANDLER + announcements

    assert _load(file, text, name=None).name == "bh0"
    assert load_ann_handler_settings(file).name == "x"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            TOP + PKTD + HANDLER + "threads = 1\n",
            9,
            '"threads" is no setting in [block_handler.bh0]',
        ),
        (
            TOP + PKTD + HANDLER + "node_calls = 0\n",
            9,
            "node_calls = 0 cannot work: give 1 or more",
        ),
        (TOP + PKTD + HANDLER + 'bind = "x"\n', 9, 'bind = "x" is no address'),
        (
            TOP + PKTD + "host = 1\n" + HANDLER,
            7,
            '"host" is no setting in [pktd]: allowed are pass',
        ),
        (TOP + PKTD + "tls_verify = 0\n" + HANDLER, 7, "tls_verify must be true or false, not"),
        (TOP + PKTD + "tls_certificate = 1\n" + HANDLER, 7, "tls_certificate must be a string"),
        (TOP + PKTD + 'url = "127.0.0.1"\n' + HANDLER, 7, 'url = "127.0.0.1" is no HTTP URL'),
        (TOP + PKTD + 'timeout = "1"\n' + HANDLER, 7, "timeout must be a number"),
        (TOP + PKTD + "timeout = 0\n" + HANDLER, 7, "timeout = 0 cannot work"),
        (
            TOP + '[pktd]\nuser = "x"\n' + HANDLER,
            4,
            '[pktd] lacks "password": add e.g. password = ',
        ),
        (TOP + "pktd = 1\n" + HANDLER, 4, "it does not say where pktd is: add a table"),
        (TOP + PKTD + "[block_handler.x]\n", 7, 'no block handler "bh0", only x'),
        (TOP + PKTD + "[block_handler]\nbind = 1\n", 7, "[block_handler.NAME]"),
    ],
)
def test_mistakes_are_told_with_their_line(file: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(file, text)

    assert str(raised.value).startswith(f"{file}:{line}: ")
    assert message in str(raised.value)


def test_without_a_node(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"where pktd is: add a table, e\.g\.\n\[pktd\]\nuser = "):
        _load(file, TOP + HANDLER)


def test_without_a_handler(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"add a table, e\.g\.\n\[block_handler\.bh0\]"):
        _load(file, TOP + PKTD)


def test_secrets_are_not_shown() -> None:
    settings = block_handler_settings(
        Path(), "http://a", PktdSettings(user="u", password="secret"), private_seed="secret"
    )

    assert "secret" not in repr(settings)
