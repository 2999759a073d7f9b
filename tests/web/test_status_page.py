import gzip
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from exporter.snapshot import AccountSnapshot, Failure, Objective
from exporter.tasks.task import Status
from exporter.web.assets import Assets
from exporter.web.status import StatusRoute
from exporter.web.wording import NOTHING
from tests.web.reading import Page, read
from tests.web.servers import served
from tests.web.worlds import InventedSite, failing, polled, starting, unfinished, window

HOSTILE = [
    "<script>alert(1)</script>",
    "</bdi></td></table><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "two\nlines\r\n\x00\x1b[31m",
    "\N{RIGHT-TO-LEFT OVERRIDE}evil\N{POP DIRECTIONAL FORMATTING}",
    "\ud800 lone",
    "x" * 10_000,
    "<" * 10_000,
    "&lt;b&gt; &amp;amp;",
    "",
]


def page_of(*accounts: AccountSnapshot) -> Page:
    return read(StatusRoute(InventedSite(accounts), Assets.packaged()).render())


def test_all_is_well() -> None:
    page = page_of(polled(tasks=[unfinished()]))
    assert "All accounts are polled" in page.text
    assert "Last good poll 12 s ago" in page.text
    assert "0.83 s, 3 requests" in page.text
    assert "in 48 s" in page.text
    assert "2024-06-04 14:49:17-agent 5000602" in page.text
    assert "80 of 100 calls answered" in page.text


def test_the_vendors_example_shows_its_figures() -> None:
    example = window(calls=10, answered=8, failed=2, billed=480, fee="0.125")
    page = page_of(polled(windows=[example]))
    for words in ("80.0 %", "20.0 %", "1 m 00 s", "0.159827 USD", "agent 0.125, calls 0.034827"):
        assert words in page.text


def test_ratios_of_an_account_are_those_of_its_sums() -> None:
    page = page_of(
        polled(
            windows=[
                window(app="a", script="1", calls=900, answered=90),
                window(app="b", script="2", calls=100, answered=90),
                window(app="b", script="3", calls=0, answered=0),
                window(app="b", script="4", calls=50, answered=None, billed=None),
            ]
        )
    )
    assert "Answer ratio 18.0 % 180 of 1,050 calls answered" in page.text
    assert "a 1h 3 10.0 %" in page.text
    assert "b 1h 9 90.0 %" in page.text


def test_nothing_called_is_nothing_said() -> None:
    page = page_of(polled(windows=[window(calls=0, answered=0, failed=0, billed=0)]))
    assert "Answer ratio - 0 calls Average call - Failure ratio -" in page.text.replace(
        NOTHING, "-"
    )


def test_objectives_stand_beside_their_figures_in_words() -> None:
    aims = Objective(
        app="",
        currency="USD",
        answer_ratio=0.9,
        failure_ratio=0.2,
        average_call_duration=20.0,
        daily_spend=Decimal(1),
    )
    page = page_of(polled(windows=[window("24h")], objectives=[aims]))
    assert "80.0 % missed: at least 90 %" in page.text
    assert "1 m 00 s met: at least 20 s" in page.text
    assert "20.0 % met: at most 20 %" in page.text
    assert "1.53 USD missed: at most 1.00 USD a day" in page.text
    assert "2 objectives are missed." in page.text


@pytest.mark.parametrize(
    ("label", "spent", "words"),
    [
        ("24h", "10", "met: at most 100.00 USD a day"),
        ("1d", "10", "met: at most 100.00 USD a day"),
        ("1h", "10", None),
        ("1h", "200", "missed: at most 100.00 USD a day"),
        ("7d", "200", None),
    ],
)
def test_a_day_s_spend_is_held_against_a_day(label: str, spent: str, words: str | None) -> None:
    aims = Objective(app="", currency="USD", daily_spend=Decimal(100))
    page = page_of(polled(windows=[window(label, fee=spent)], objectives=[aims]))
    assert ("a day" in page.text) == (words is not None)
    assert (words or "") in page.text


def test_money_of_another_currency_is_not_held_against_an_objective() -> None:
    aims = Objective(app="", currency="USD", daily_spend=Decimal(1))
    page = page_of(polled(windows=[window("24h", currency="CNY")], objectives=[aims]))
    assert "1.53 CNY" in page.text
    assert "a day" not in page.text


def test_a_failing_account_says_why_and_what_to_do() -> None:
    page = page_of(polled(), failing())
    assert "1 of 2 accounts is failing" in page.text
    assert "sandbox: The API does not accept the key" in page.text
    assert "What to do: Check api_key and api_secret of this account." in page.text
    assert "Reason authentication, 30 s ago" in page.text
    assert "clock is 1 m 33 s ahead of the API" in page.text
    assert "The figures became stale and were withdrawn" in page.text


def test_an_old_failure_is_not_shown_once_polls_are_whole_again() -> None:
    broken = failing()
    page = page_of(replace(broken, health=replace(broken.health, up=True, clock_skew=0.0)))
    assert "What to do" not in page.text


def test_an_account_that_has_not_been_polled_yet() -> None:
    page = page_of(starting())
    assert "Waiting for the first poll of new" in page.text
    assert "Last good poll none yet" in page.text


def test_a_first_sweep_shows_how_far_it_is() -> None:
    page = page_of(replace(polled(sweep_progress=0.37, future_tasks=12), figures=None))
    assert "Reading the history of production" in page.text
    assert "Full sweep 37.0 %" in page.text
    assert "Figures appear once the whole lookback has been read." in page.text
    assert "12 tasks bear a creation time that is still to come." in page.text
    assert {"max": "1", "value": "0.3700"}.items() <= dict(page.elements)["progress"].items()


def test_a_store_that_cannot_be_used_is_said_beside_figures_that_are_fine() -> None:
    failure = Failure("full", "state.sqlite3: disk is full; free space", "Counters stand still.", 1)
    page = page_of(polled(store_failure=failure))
    assert "Counters stand still. What is wrong: state.sqlite3: disk is full; free" in page.text
    assert "Something is odd with production." in page.text


def test_no_account_and_no_task_are_said_so() -> None:
    assert "No accounts are configured" in page_of().text
    empty = page_of(polled(windows=[]))
    assert "No task was created within the lookback." in empty.text
    assert "None: every task of the lookback has ended." in empty.text


def test_what_needs_attention_comes_first() -> None:
    page = page_of(
        polled(
            tasks=[
                unfinished(1, "newest", age=10, status=Status.WAITING),
                unfinished(2, "calling", age=20),
                unfinished(3, "suspended", age=30, status=Status.SUSPENDED),
                unfinished(4, "stalled", age=4_000, silent_for=3_600 + 12),
                unfinished(5, "longest stalled", age=9_000, silent_for=7_200 + 12),
                unfinished(6, "old", age=9_000, silent_for=8_000, status=Status.WAITING),
            ]
        )
    )
    order = [
        attributes["title"]
        for tag, attributes in page.elements
        if tag == "bdi" and attributes.get("class") == "name"
    ]
    assert order == [
        "longest stalled",
        "stalled",
        "suspended",
        "newest",
        "calling",
        "old",
    ]
    assert "Unfinished tasks 6, 2 stalled" in page.text
    assert "no call for 2 h 00 m" in page.text


def test_five_thousand_tasks_are_a_page_one_can_read_and_wait_for() -> None:
    site = InventedSite(
        [polled(tasks=[unfinished(number, f"t{number}") for number in range(5_000)])]
    )
    route = StatusRoute(site, Assets.packaged())
    began = time.perf_counter()
    html = route.render()
    # Far above what it takes, so that a busy machine does not fail it.
    assert time.perf_counter() - began < 1.0
    page = read(html)
    assert page.tags().count("tr") == 201
    assert "and 4,800 more." in page.text
    assert len(html) < 300_000


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: str) -> None:
    tame = polled("x", [window(app="x", script="x")], [unfinished(name="x", app="x")])
    hostile = polled(name, [window(app=name, script=name)], [unfinished(name=name, app=name)])
    shown, expected = page_of(hostile), page_of(tame)
    if name:  # an account without apps has another page
        assert shown.tags() == expected.tags()
        assert [set(attributes) for _, attributes in shown.elements] == [
            set(attributes) for _, attributes in expected.elements
        ]
    html = StatusRoute(InventedSite([hostile]), Assets.packaged()).render()
    html.encode()
    assert not {"\x00", "\x1b", "\r", "\N{RIGHT-TO-LEFT OVERRIDE}"} & set(html)
    assert len(html) < 40_000


def test_hostile_failures_stay_text() -> None:
    broken = failing()
    failure = broken.health.failure
    assert failure is not None
    vicious = replace(failure, message=HOSTILE[1], remedy=HOSTILE[6], reason=HOSTILE[0])
    page = page_of(replace(broken, health=replace(broken.health, failure=vicious)))
    assert page.tags() == page_of(broken).tags()
    assert HOSTILE[0] in page.text


def test_the_page_is_made_for_everyone() -> None:
    page = page_of(polled(tasks=[unfinished(app="a")], windows=[window(app="a")]), failing())
    tags = page.tags()
    assert tags.count("h1") == tags.count("main") == 1
    for tag, attributes in page.elements:
        assert "style" not in attributes
        assert not any(attribute.startswith("on") for attribute in attributes)
        if tag == "th":
            assert attributes["scope"] in {"col", "row", "rowgroup"}
        if tag == "progress":
            assert {"aria-label", "aria-labelledby"} & set(attributes)
        if tag == "svg":
            assert attributes["aria-hidden"] == "true"
        if tag == "script":
            assert (attributes["src"] or "").startswith("static/")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        assert {attributes[key] for key in ("aria-labelledby",) if key in attributes} <= set(ids)


async def test_the_page_is_zipped_for_those_who_take_it() -> None:
    async with served(InventedSite([polled()])) as client:
        answer = await client.get("/", headers={"Accept-Encoding": "br, gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "All accounts are polled" in gzip.decompress(await answer.read()).decode()


async def test_every_file_of_the_page_is_there_for_good() -> None:
    async with served(InventedSite(telemetry_path="/probe/metrics")) as client:
        answer = await client.get("/", headers={"Accept-Encoding": "gzip;q=0"})
        assert "Content-Encoding" not in answer.headers
        page = read(await answer.text())
        addresses = [
            address
            for _, attributes in page.elements
            if (address := attributes.get("src") or attributes.get("href"))
            and not address.startswith("#")
        ]
        assert "probe/metrics" in addresses
        for address in addresses:
            answer = await client.get(f"/{address}")
            assert answer.status == 200, address
            if address.startswith("static/"):
                assert "immutable" in answer.headers["Cache-Control"]
                assert answer.content_type in {"text/css", "text/javascript", "image/svg+xml"}
