"""The application behind an `Access`, on a real socket of the loopback."""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from exporter.web.access.access import Access
from exporter.web.application import build
from exporter.web.listening import listen
from exporter.web.options import parse_address
from tests.web.access.certificates import Pair, authority
from tests.web.worlds import InventedSite


def trusting(pair: Pair | None = None, folder: str = "") -> ssl.SSLContext:
    """A client's context, with a certificate of its own where one is given (from `folder`)."""
    context = ssl.create_default_context(cadata=authority().cert_pem)
    if pair is not None:
        context.load_cert_chain(f"{folder}/client.crt", f"{folder}/client.key")
    return context


@dataclass(frozen=True)
class Served:
    """A server that listens."""

    url: str
    access: Access

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def fetch(
        self,
        path: str = "/metrics",
        *,
        method: str = "GET",
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str]]:
        """Ask on a new connection: status and headers; aiohttp's error where it is refused."""
        sent = dict(headers or {})
        if login:
            sent["Authorization"] = "Basic " + b64encode(":".join(login).encode()).decode()
        connector = aiohttp.TCPConnector(ssl=tls or True)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, self.url + path, headers=sent) as answer,
        ):
            await answer.read()
            return answer.status, answer.headers


@asynccontextmanager
async def serving(access: Access, site: InventedSite | None = None) -> AsyncIterator[Served]:
    application = build(site or InventedSite(), access)
    listening = await listen(application, [parse_address("127.0.0.1:0")], ssl_context=access.tls)
    try:
        yield Served(listening.urls[0], access)
    finally:
        await listening.stop()
        access.close()
