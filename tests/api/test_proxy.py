"""The environment's proxy: asked for once, used for every request, and never shown."""

import base64

import pytest
from aiohttp import web

from exporter.api import errors
from exporter.api.proxy import proxy_for
from tests.api.answers import answer, record
from tests.api.clients import QUERY, Asked, asking, served
from tests.virtual_time import VirtualTime

API = "http://api.example.invalid"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_every_request_goes_through_it(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts: list[str] = []
    logins: list[str | None] = []

    async def forward(asked: Asked) -> web.Response:
        hosts.append(asked.headers["Host"])
        logins.append(asked.headers.get("Proxy-Authorization"))
        return web.Response(body=answer(record()))

    async with served(forward, time) as proxy:
        place = proxy.url.removeprefix("http://")
        monkeypatch.setenv("http_proxy", f"http://me:p%40ss@{place}")
        async with asking(API, time) as client:
            monkeypatch.delenv("http_proxy")  # it is not asked for again
            for _ in range(3):
                assert len(await client.page(QUERY)) == 1
    assert hosts == ["api.example.invalid"] * 3
    assert set(logins) == {"Basic " + base64.b64encode(b"me:p@ss").decode()}


async def test_one_that_is_not_there_is_told_without_its_password(
    time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://me:secret@127.0.0.1:9")
    async with asking(API, time) as client:
        with pytest.raises(errors.ConnectionFailedError) as failed:
            await client.page(QUERY)
    assert "127.0.0.1:9" in str(failed.value)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("proxy:3128", "http://proxy:3128"),
        ("https://proxy", "https://proxy"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("http://me@proxy", "http://me@proxy"),
        ("socks5://proxy:1080", None),
        ("http://", None),
        ("", None),
    ],
)
def test_what_the_environment_may_say(
    proxy: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    assert proxy_for(API) == expected
    assert proxy_for("https://api.example.invalid") is None


def test_a_host_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "localhost,.example.invalid")
    assert proxy_for(API) is None
    assert proxy_for("http://elsewhere") == "http://proxy:3128"


def test_a_proxy_of_another_kind_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("http_proxy", "socks5://me:secret@proxy")
    assert proxy_for(API) is None
    told = capsys.readouterr().out
    assert "not used" in told
    assert "secret" not in told
