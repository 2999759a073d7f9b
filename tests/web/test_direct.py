"""Whoever is answered directly gets what the routes would have answered."""

from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

from exporter.web.application import build
from exporter.web.guard import HEADERS
from exporter.web.listening import listen
from exporter.web.options import parse_address
from tests.web.servers import served
from tests.web.worlds import InventedSite

Answer = tuple[int, dict[str, str], bytes]


class Failing(InventedSite):
    async def scrape(self, *_args: Any, **_named: Any) -> Sequence[bytes]:
        raise RuntimeError("secret")


class Large(InventedSite):
    """Its answers are sent in pieces."""

    async def scrape(self, *_args: Any, **_named: Any) -> Sequence[bytes]:
        return (b"a" * 2**17, b"b" * 2**17)


async def asked(
    session: aiohttp.ClientSession, url: str, method: str, headers: dict[str, str]
) -> Answer:
    async with session.request(method, url, headers=headers) as answer:
        told = {name: value for name, value in answer.headers.items() if name != "Date"}
        return answer.status, told, await answer.read()


@pytest.mark.parametrize("site", [InventedSite, Failing, Large])
@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "", {}),
        ("GET", "", {"Accept-Encoding": "gzip", "Accept": "application/openmetrics-text"}),
        ("GET", "?name[]=up&name%5B%5D=x", {}),
        ("GET", "/", {}),
        ("HEAD", "", {}),
        ("POST", "", {}),
        ("POST", "", {"Sec-Fetch-Site": "cross-site"}),
        ("GET", "", {"Expect": "100-continue"}),
    ],
)
async def test_it_is_what_the_routes_answer(
    site: type[InventedSite], method: str, target: str, headers: dict[str, str]
) -> None:
    async with served(site()) as client:
        session = aiohttp.ClientSession(auto_decompress=False)
        listening = await listen(build(site()), [parse_address("127.0.0.1:0")])
        try:
            routed = await asked(
                session, str(client.make_url("/metrics")) + target, method, headers
            )
            direct = await asked(session, f"{listening.urls[0]}/metrics{target}", method, headers)
        finally:
            await session.close()
            await listening.stop()
    assert direct == routed
    assert direct[1].items() >= HEADERS.items()
