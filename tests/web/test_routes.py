import gzip

import pytest

from exporter.config import ConfigError, Problem
from exporter.web.application import build
from tests.web.servers import served
from tests.web.worlds import InventedSite, failing, polled, starting

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


async def test_metrics_are_text_unless_asked_otherwise() -> None:
    site = InventedSite()
    async with served(site) as client:
        answer = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
        assert answer.status == 200
        assert answer.headers["Content-Type"] == TEXT
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
        assert "Content-Encoding" not in answer.headers
        assert await answer.read() == site.exposition
    assert site.scraped == [(False, False, frozenset())]


async def test_metrics_come_as_openmetrics_and_zipped_where_asked() -> None:
    site = InventedSite()
    async with served(site) as client:
        answer = await client.get(
            "/metrics",
            headers={"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"},
        )
        assert answer.headers["Content-Type"] == OPENMETRICS
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await answer.read()) == site.exposition
    assert site.scraped == [(True, True, frozenset())]


async def test_names_can_be_asked_for_more_than_once() -> None:
    site = InventedSite()
    async with served(site) as client:
        await client.get("/metrics?name[]=itnio_up&name%5B%5D=process_open_fds&name=other")
    assert site.scraped[0][2] == frozenset({"itnio_up", "process_open_fds"})


async def test_head_has_the_headers_and_is_no_scrape() -> None:
    site = InventedSite(accounts=[polled()])
    async with served(site) as client:
        answer = await client.head("/metrics", headers={"Accept-Encoding": "gzip"})
        assert (answer.status, await answer.read()) == (200, b"")
        assert answer.headers["Content-Type"] == TEXT
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "Content-Length" not in answer.headers
        page = await client.head("/")
        assert (page.status, await page.read()) == (200, b"")
    assert site.scraped == []


async def test_a_failing_scrape_is_a_plain_500() -> None:
    class Broken(InventedSite):
        async def scrape(self, *_: object, **__: object) -> list[bytes]:
            raise RuntimeError("s3cret detail")

    async with served(Broken()) as client:
        answer = await client.get("/metrics")
        assert answer.status == 500
        assert await answer.text() == "500: internal server error.\n"
        assert "Content-Security-Policy" in answer.headers


async def test_healthy_says_so() -> None:
    async with served(InventedSite(is_ready=False)) as client:
        answer = await client.get("/-/healthy")
        assert (answer.status, await answer.text()) == (200, "itnio-exporter is healthy.\n")


async def test_ready_names_who_is_awaited() -> None:
    site = InventedSite(
        accounts=[polled(), failing(), starting("a"), starting("b\n<i>")], is_ready=False
    )
    async with served(site) as client:
        answer = await client.get("/-/ready")
        assert answer.status == 503
        assert await answer.text() == (
            "itnio-exporter is not ready yet: it awaits the first figures of a and "
            "b\N{SYMBOL FOR LINE FEED}<i>.\n"
        )
        assert answer.content_type == "text/plain"
        site.is_ready = True
        answer = await client.get("/-/ready")
        assert (answer.status, await answer.text()) == (200, "itnio-exporter is ready.\n")


async def test_reload_must_be_enabled() -> None:
    async with served(InventedSite()) as client:
        answer = await client.post("/-/reload")
        assert answer.status == 403
        assert "--web.enable-lifecycle" in await answer.text()


async def test_reload_is_a_post() -> None:
    async with served(InventedSite()) as client:
        answer = await client.get("/-/reload")
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert await answer.text() == "405: this address does not take that method.\n"


async def test_reload_answers_when_it_is_done() -> None:
    done: list[bool] = []

    async def reload() -> None:
        done.append(True)

    async with served(InventedSite(reload=reload)) as client:
        answer = await client.post("/-/reload")
        assert (answer.status, done) == (200, [True])


async def test_reload_of_a_bad_file_gives_every_reason() -> None:
    async def reload() -> None:
        raise ConfigError(
            [Problem("c.yaml", 3, "poll.interval", "not a duration"), Problem("c.yaml", 1, "", "x")]
        )

    async with served(InventedSite(reload=reload)) as client:
        answer = await client.post("/-/reload")
        assert answer.status == 500
        assert (await answer.text()).splitlines()[1:] == [
            "c.yaml:1: (file): x",
            "c.yaml:3: poll.interval: not a duration",
        ]


async def test_reload_that_breaks_tells_no_more_than_that() -> None:
    async def reload() -> None:
        raise RuntimeError("s3cret")

    async with served(InventedSite(reload=reload)) as client:
        answer = await client.post("/-/reload")
        assert answer.status == 500
        assert "s3cret" not in await answer.text()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://exporter:10911", "Host": "exporter:10911"}, 200),
        ({"Origin": "https://Exporter:10911", "Host": "exporter:10911"}, 200),
        ({"Origin": "http://exporter:81", "Host": "exporter:10911"}, 403),
        ({"Origin": "http://evil.example", "Host": "exporter:10911"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, 403),
    ],
)
async def test_another_site_cannot_make_a_browser_reload(
    headers: dict[str, str], status: int
) -> None:
    done: list[bool] = []

    async def reload() -> None:
        done.append(True)

    async with served(InventedSite(reload=reload)) as client:
        answer = await client.post("/-/reload", headers=headers)
        assert answer.status == status
    assert bool(done) == (status == 200)


async def test_a_long_body_is_refused_unread() -> None:
    async def reload() -> None:
        raise AssertionError

    async with served(InventedSite(reload=reload)) as client:
        answer = await client.post("/-/reload", data=b"x" * 20_000)
        assert answer.status == 413
        assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/nowhere", "/static/x/y.css"]
)
async def test_every_answer_is_guarded(path: str) -> None:
    async with served(InventedSite()) as client:
        headers = (await client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Server"] == "itnio-exporter"


async def test_what_is_nowhere_is_a_plain_404() -> None:
    async with served(InventedSite()) as client:
        for path in ("/nowhere", "/static/x/style.css", "/static/../site.py", "/-/"):
            answer = await client.get(path)
            assert answer.status == 404
            assert await answer.text() == "404: there is nothing at this address.\n"


async def test_metrics_can_take_the_place_of_the_page() -> None:
    site = InventedSite(telemetry_path="/")
    async with served(site) as client:
        answer = await client.get("/", headers={"Accept-Encoding": "identity"})
        assert await answer.read() == site.exposition
        assert (await client.get("/metrics")).status == 404


@pytest.mark.parametrize(
    "path", ["", "metrics", "/{a}", "/m?x", "/m#x", "/-/healthy", "/static/a/b", "/a\nb", "/config"]
)
def test_a_telemetry_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="telemetry-path"):
        build(InventedSite(telemetry_path=path))
