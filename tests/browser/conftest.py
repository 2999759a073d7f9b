"""A real Chromium, and sites for it to open."""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

import pytest
from aiohttp.test_utils import TestServer
from playwright.sync_api import Browser, sync_playwright

from exporter.web.application import build
from tests.browser.visits import Look, Visit, visit
from tests.web.worlds import InventedSite

Serve: TypeAlias = Callable[[InventedSite], "Served"]
Open: TypeAlias = Callable[..., Visit]
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    assert executable, f"none of {', '.join(NAMES)} on PATH: `make servers` installs one"
    with sync_playwright() as playwright:
        # Its sandbox cannot be had by root, whom CI and containers run as; all it opens is ours.
        chromium = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


class Served:
    """An invented site, served from a thread of its own; what it says can be changed meanwhile."""

    def __init__(self, site: InventedSite) -> None:
        self.site = site
        self._url: Future[str] = Future()
        self._loop = asyncio.new_event_loop()
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        self.url = self._url.result(10)

    async def _run(self) -> None:
        self._over = asyncio.Event()
        async with TestServer(build(self.site)) as server:
            self._url.set_result(str(server.make_url("/")))
            await self._over.wait()

    def stop(self) -> None:
        """Nobody answers any more; nothing happens a second time."""
        if self._thread.is_alive() and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(10)
            self._loop.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(site: InventedSite) -> Served:
            served = Served(site)
            stack.callback(served.stop)
            return served

        yield start


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """`open_page(url, look)`: the page, of which everything a console would say is collected."""
    with ExitStack() as stack:

        def start(url: str, look: Look | None = None) -> Visit:
            return stack.enter_context(contextmanager(visit)(browser, url, look or Look()))

        yield start
