import gzip
from dataclasses import replace
from decimal import Decimal

import pytest

from exporter.api import errors
from exporter.history import History
from exporter.snapshot import AccountSnapshot, Balance, Failure, Objective
from exporter.tasks.task import Status
from exporter.web import causes
from exporter.web.assets import Assets
from exporter.web.pages import Pages
from exporter.web.status import StatusRoute
from exporter.web.wording import NOTHING
from tests.web.reading import Page, read
from tests.web.servers import served
from tests.web.worlds import NOW, InventedSite, failing, polled, starting, unfinished, window

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


def route_of(site: InventedSite) -> StatusRoute:
    return StatusRoute(site, Pages(site, Assets.packaged()))


def html_of(*accounts: AccountSnapshot, **query: str) -> str:
    return route_of(InventedSite(accounts)).render(query)


def page_of(*accounts: AccountSnapshot) -> Page:
    return read(html_of(*accounts))


def test_all_is_well() -> None:
    page = page_of(polled(tasks=[unfinished()]))
    assert "All is well production is polled. As of 2024-06-04 14:50:00 UTC" in page.text
    assert "What to do" not in page.text
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
    assert "2 things need attention" in page.text
    assert "Answer ratio misses its objective, at least 90 %: 80.0 % in the last 24h." in page.text
    assert "Spend misses its objective, at most 1.00 USD a day: 1.53 USD" in page.text


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
    assert ("USD a day" in page.text) == (words is not None)
    assert (words or "") in page.text


def test_money_of_another_currency_is_not_held_against_an_objective() -> None:
    aims = Objective(app="", currency="USD", daily_spend=Decimal(1))
    page = page_of(polled(windows=[window("24h", currency="CNY")], objectives=[aims]))
    assert "1.53 CNY" in page.text
    assert "USD a day" not in page.text


def test_a_failing_account_says_why_and_what_to_do() -> None:
    page = page_of(polled(), failing())
    assert "1 of 2 accounts is failing" in page.text
    assert "sandbox: The API refuses the key or the secret." in page.text
    assert "What to do: Check api_key and api_secret of this account." in page.text
    assert "To the letter: The API does not accept the key or the signature (code -1)" in page.text
    assert "Reason authentication, 30 s ago" in page.text
    assert "clock is 1 m 33 s ahead of the API" in page.text
    assert "The figures became stale and were withdrawn" in page.text


@pytest.mark.parametrize(
    ("reason", "skew", "sentence"),
    [
        ("authentication", 0.0, "The API refuses the key or the secret."),
        ("ip_restricted", 0.0, "This host's address is not on the account's allow-list."),
        ("clock_skew", 93.0, "This host's clock is 1 m 33 s behind the API's."),
        ("clock_skew", -93.0, "This host's clock is 1 m 33 s ahead of the API's."),
        ("clock_skew", 0.4, "expired, though its clock and this host's agree."),
        ("clock_skew", None, "The API says that this host's clock is wrong."),
    ],
)
def test_a_failure_is_a_sentence(reason: str, skew: float | None, sentence: str) -> None:
    broken = failing(reason=reason)
    page = page_of(replace(broken, health=replace(broken.health, clock_skew=skew)))
    shown = page.text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    assert "Polling fails" in shown
    assert shown.count(sentence) == 2  # on top, and where the account is
    assert shown.count("clock is") == sentence.count("clock is") * 2


def test_what_to_type_is_code_and_nothing_else_is_markup() -> None:
    failure = Failure("authentication", "m", "Try `check --live <b>` & see.", NOW)
    broken = failing()
    html = html_of(replace(broken, health=replace(broken.health, failure=failure)))
    assert "Try <code>check --live &lt;b&gt;</code> &amp; see." in html


def test_every_reason_has_its_sentence() -> None:
    assert set(errors.REASONS) <= causes.REASONS


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
    assert "cannot be used: state.sqlite3: disk is full; free space" in page.text
    assert "What to do: Counters stand still." in page.text
    assert "1 thing needs attention" in page.text


def test_no_account_and_no_task_are_said_so() -> None:
    assert "No accounts are configured" in page_of().text
    empty = page_of(polled(windows=[]))
    assert "No task was created within the lookback." in empty.text
    assert "None: every task of the lookback has ended." in empty.text


def names(page: Page) -> list[str]:
    """The tasks of the table, in its order."""
    return [
        attributes["title"] or ""
        for tag, attributes in page.elements
        if tag == "bdi" and attributes.get("class") == "name"
    ]


MIXED = polled(
    "a",
    tasks=[
        unfinished(1, "newest", age=10, status=Status.WAITING),
        unfinished(2, "calling", age=20, app="one"),
        unfinished(3, "suspended", age=30, status=Status.SUSPENDED, app="one"),
        unfinished(4, "stalled", age=4_000, silent_for=3_600 + 12),
        unfinished(5, "longest stalled", age=9_000, silent_for=7_200 + 12, app="two"),
        unfinished(6, "old", age=900, silent_for=8_000, status=Status.WAITING),
        unfinished(7, "overdue", age=2_400 + 12, status=Status.SUBMITTING),
    ],
)
OTHER = polled("b", tasks=[unfinished(8, "Calling 8", age=5)])


def test_what_needs_attention_comes_first() -> None:
    page = page_of(MIXED)
    assert names(page) == [
        "longest stalled",
        "stalled",
        "overdue",
        "suspended",
        "newest",
        "calling",
        "old",
    ]
    assert "2 tasks are calling, but made no call for up to 2 h 00 m." in page.text
    assert "1 task is waiting to begin, the oldest for 40 m 00 s." in page.text
    assert "no call for 2 h 00 m" in page.text
    assert "submitting for 40 m 00 s" in page.text


def test_what_does_not_fit_on_top_stands_with_its_account() -> None:
    odd = [polled(f"account {number}", clock_skew=20.0 + number) for number in range(15)]
    page = page_of(*odd)
    assert "15 things need attention" in page.text
    assert "and 3 more, in the accounts' sections" in page.text.replace("\u2019", "'")
    for number in range(15):
        assert page.text.count(f"clock is {20 + number} s behind") == (2 if number < 12 else 1)


def test_a_balance_is_shown_and_held_against_its_objective() -> None:
    balance = Balance(
        {
            ("balance", "USD"): Decimal("20.5"),
            ("gift", "USD"): Decimal(4),
            ("credit", "USD"): Decimal(100),
        },
        NOW - 45,
    )
    aims = Objective(app="", currency="USD", minimum_balance=Decimal(25))
    rich = replace(polled(objectives=[aims]), balance=balance)
    page = page_of(rich)
    assert "Balance 20.50 USD 45 s ago" in page.text
    assert "24.50 USD are left, less than the objective of at least 25.00 USD." in page.text
    enough = replace(aims, minimum_balance=Decimal("24.5"))
    assert "All is well" in page_of(replace(rich, objectives=(enough,))).text
    elsewhere = replace(aims, currency="CNY")
    assert "All is well" in page_of(replace(rich, objectives=(elsewhere,))).text


def test_a_balance_that_cannot_be_looked_up_is_no_zero() -> None:
    failure = Failure("timeout", "no answer within 10 s", "Check the network.", NOW - 5)
    aims = Objective(app="", currency="USD", minimum_balance=Decimal(25))
    page = page_of(replace(polled(objectives=[aims]), balance_failure=failure))
    assert "The balance cannot be looked up: no answer within 10 s" in page.text
    assert "are left" not in page.text


def test_suspended_tasks_are_news_only_where_they_are_many() -> None:
    calling = [unfinished(number, age=9) for number in range(9)]
    suspended = [unfinished(20 + number, status=Status.SUSPENDED) for number in range(4)]
    assert "All is well" in page_of(polled(tasks=[*calling, *suspended[:3]])).text
    assert "4 tasks of 13 that should be calling are suspended." in (
        page_of(polled(tasks=[*calling, *suspended])).text
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"account": "b"}, ["Calling 8"]),
        ({"app": "one"}, ["suspended", "calling"]),
        ({"status": "calling"}, ["longest stalled", "stalled", "Calling 8", "calling"]),
        ({"status": "attention"}, ["longest stalled", "stalled", "overdue", "suspended"]),
        ({"status": "attention", "app": "two"}, ["longest stalled"]),
        ({"text": "CALLING"}, ["Calling 8", "calling"]),
        ({"text": "8"}, ["Calling 8"]),
        ({"account": "a", "text": "8"}, []),
        ({"account": "gone"}, []),
        ({"status": "no status", "part": "-1", "nonsense": "x"}, [*names(page_of(MIXED, OTHER))]),
    ],
)
def test_filters_show_what_is_asked_for(query: dict[str, str], shown: list[str]) -> None:
    page = read(html_of(MIXED, OTHER, **query))
    assert names(page) == shown
    assert bool(shown) or "None of 8 unfinished tasks is like that." in page.text
    # What was asked for can be seen in the form, and asked for again from the address.
    for name, value in query.items():
        if name == "text":
            assert ("input", value) in [(tag, each.get("value")) for tag, each in page.elements]
        elif name in {"account", "app"}:
            chosen = [
                each["value"]
                for tag, each in page.elements
                if tag == "option" and "selected" in each
            ]
            assert value in chosen


def test_findings_lead_to_their_tasks() -> None:
    page = page_of(MIXED, OTHER)
    links = [attributes.get("href") for tag, attributes in page.elements if tag == "a"]
    assert "?account=a&status=attention#tasks" in links


def test_a_reload_that_failed_is_said_until_one_succeeds() -> None:
    failure = Failure("config", "c.yaml:3: poll.intervall: x\nc.yaml:4: y", "Correct it.", NOW - 60)
    site = InventedSite([polled()], problem=failure)
    page = read(route_of(site).render())
    assert "not used: c.yaml:3: poll.intervall: x (and 1 problem more)" in page.text
    assert "What to do: Correct it." in page.text
    assert read(route_of(InventedSite([polled()])).render()).text.count("not used") == 0


def test_five_thousand_tasks_are_a_page_one_can_read() -> None:
    tasks = [unfinished(number, f"t{number}", app=f"app {number % 3}") for number in range(5_000)]
    site = InventedSite([polled(tasks=tasks)])
    html = route_of(site).render()
    page = read(html)
    assert page.tags().count("tr") == 101
    assert "1 to 100 of 5,000 tasks" in page.text
    assert "4,900 more follow." in page.text
    assert len(html) < 130_000
    # Every single one can be reached.
    parts = [names(read(route_of(site).render({"part": str(part)}))) for part in range(1, 51)]
    assert len({name for part in parts for name in part}) == 5_000
    assert names(read(route_of(site).render({"part": "51"}))) == parts[-1]
    assert names(read(route_of(site).render({"text": "t4999"}))) == ["t4999"]


def past(*points: tuple[float, float | None]) -> dict[str, History]:
    """The history of `production`: seconds ago, and the answer ratio then."""
    history = History()
    for ago, ratio in points:
        snapshot = polled(windows=[window(calls=100, answered=round((ratio or 0) * 100))])
        assert snapshot.figures is not None
        at = NOW - ago
        figures = None if ratio is None else replace(snapshot.figures, taken_at=at)
        history = history.followed_by(replace(snapshot, taken_at=at, figures=figures))
    return {"production": history}


def test_trends_are_drawn_and_said() -> None:
    aims = Objective(app="", currency="USD", answer_ratio=0.4)
    site = InventedSite(
        [polled(windows=[window()], objectives=[aims])],
        past=past((7_200, 0.2), (3_600, 0.8), (12, 0.4)),
    )
    page = read(route_of(site).render())
    drawings = [each for tag, each in page.elements if tag == "svg" and each.get("role") == "img"]
    assert " ".join((drawings[0]["aria-label"] or "").split()) == (
        "Answer ratio over the last 2 h 00 m: between 20.0 % and 80.0 %"
    )
    assert "lines show how it went for 2 h 00 m" in page.text
    (line, *_) = [each["points"] for tag, each in page.elements if tag == "polyline"]
    assert line == "0,23 60,4 120,17"
    goals = [each["d"] for _, each in page.elements if each.get("class") == "goal"]
    assert goals == ["M0 17H120"]


def test_a_trend_does_not_bridge_what_is_not_known() -> None:
    site = InventedSite([polled(windows=[window()])], past=past((900, 0.5), (600, None), (12, 0.5)))
    lines = [
        each["points"] for tag, each in read(route_of(site).render()).elements if tag == "polyline"
    ]
    assert lines[:2] == ["0,4", "118,4"]


def test_there_is_no_trend_of_a_single_point() -> None:
    site = InventedSite([polled(windows=[window()])], past=past((12, 0.5)))
    assert "polyline" not in read(route_of(site).render()).tags()


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
    html = html_of(hostile)
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
            # Either it says something, or it is not there for those who cannot see it.
            assert bool(attributes.get("aria-label")) != (attributes.get("aria-hidden") == "true")
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
        assert "All is well" in gzip.decompress(await answer.read()).decode()


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
