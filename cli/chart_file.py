"""Into which files `--plot` draws charts, and what is said when it cannot."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from packetcrypt.protocol.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FORMATS: Final = (".png", ".svg", ".pdf")


def check_chart_file(file: Path) -> None:
    """Raise `ConfigError` if no chart can be drawn into `file`."""
    if file.suffix.lower() not in _FORMATS:
        raise ConfigError(
            f"a chart cannot be drawn into {file}: give a name that ends in {', '.join(_FORMATS)}"
        )
    if not file.absolute().parent.is_dir():
        raise ConfigError(f"{file.parent} is no folder: give a file in one that exists")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"matplotlib draws the charts and cannot be imported ({error}): "
            "pip install packetcrypt-engine[plot]"
        ) from error


def save_chart(figure: "Figure", file: Path) -> None:
    """Write a chart. Raises `ConfigError` if `file` cannot be written."""
    try:
        figure.savefig(file)
    except OSError as error:
        raise ConfigError(
            f"cannot write {file}: {error.strerror}; choose another file with --plot"
        ) from error
