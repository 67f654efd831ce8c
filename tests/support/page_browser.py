"""A page in a browser, and what went wrong in it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from playwright.async_api import Page


@dataclass(frozen=True)
class Watched:
    """A page, and what its console said of errors, security violations among them."""

    page: Page
    complaints: list[str] = field(default_factory=list)


OpenPage = Callable[..., Awaitable[Watched]]
