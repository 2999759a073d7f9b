"""The application over an invented site, served for one test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from exporter.web.application import build
from tests.web.worlds import InventedSite

Client = TestClient[Request, Application]


@asynccontextmanager
async def served(site: InventedSite) -> AsyncIterator[Client]:
    """Serve a site, and give a client that shows answers as they come over the wire."""
    client = TestClient(TestServer(build(site)), auto_decompress=False)
    async with client:
        yield client
