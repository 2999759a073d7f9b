"""The pages in a real browser: for everyone, on any screen, whatever text comes from outside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import expect

from exporter.config import parse
from exporter.history import History
from exporter.snapshot import AccountSnapshot, Failure, Objective
from exporter.tasks.task import Status
from exporter.web.demonstration import Offer
from tests.browser.conftest import Open, Serve
from tests.browser.visits import LOOKS, Look
from tests.web.test_status_page import HOSTILE
from tests.web.worlds import NOW, InventedSite, failing, polled, starting, unfinished, window

pytestmark = pytest.mark.integration

AIMS = Objective(app="", currency="USD", answer_ratio=0.9, failure_ratio=0.5)
TASKS = [
    unfinished(1, app="collections", silent_for=900),
    unfinished(2, app="reminders", status=Status.SUSPENDED),
    unfinished(3, app="reminders", status=Status.WAITING, age=4_000),
    unfinished(4, app="collections"),
]


@dataclass
class Incidents:
    """A world in which one thing goes wrong already."""

    pressed: list[tuple[str, str]]

    def offers(self) -> Sequence[Offer]:
        return [Offer("a", "One thing", "Seen at once."), Offer("b", "Another", "Seen.", NOW - 30)]

    def begin(self, name: str) -> None:
        self.pressed.append(("begin", name))

    def end(self, name: str) -> None:
        self.pressed.append(("end", name))


def histories(*accounts: AccountSnapshot) -> dict[str, History]:
    """An hour of the accounts' present figures."""
    made: dict[str, History] = {}
    for account in accounts:
        history = History()
        if account.figures is not None:
            for ago in range(3_600, 0, -60):
                figures = replace(account.figures, taken_at=NOW - ago)
                history = history.followed_by(replace(account, figures=figures))
        made[account.account] = history
    return made


def site(*accounts: AccountSnapshot) -> InventedSite:
    return InventedSite(accounts, past=histories(*accounts))


def healthy() -> InventedSite:
    return site(
        polled(
            windows=[window(app="collections"), window("24h", app="reminders")],
            tasks=TASKS[3:],
        )
    )


def troubled() -> InventedSite:
    trouble = site(
        polled(
            windows=[window(app="collections"), window("24h", app="reminders")],
            tasks=TASKS,
            objectives=[AIMS],
            clock_skew=30.0,
            sweep_progress=0.4,
            future_tasks=3,
        ),
        failing(),
        starting(),
    )
    trouble.problem = Failure("config", "c.yaml:1: wrong\nc.yaml:2: too", "Correct it.", NOW - 60)
    trouble.demonstration = Incidents([])
    return trouble


def hostile() -> InventedSite:
    names = [name for name in HOSTILE if name]
    broken = failing(names[0])
    assert broken.health.failure is not None
    failure = replace(broken.health.failure, message=names[1], remedy=names[2], reason=names[3])
    return site(
        replace(broken, health=replace(broken.health, failure=failure)),
        *(
            polled(
                name,
                [window(app=name, script=name, currency=name[:3])],
                [unfinished(number, other, app=name) for number, other in enumerate(names)],
                [Objective(app=name, currency=name[:3], answer_ratio=0.9)],
            )
            for name in names[1:]
        ),
    )


def crowded() -> InventedSite:
    return site(
        polled(tasks=[unfinished(number, f"task {number}", app="a") for number in range(5_000)])
    )


SITES = {"healthy": healthy, "troubled": troubled, "hostile": hostile, "crowded": crowded}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SITES)
def test_nobody_is_kept_out_and_nothing_breaks(
    serve: Serve, open_page: Open, name: str, look: str
) -> None:
    visit = open_page(serve(SITES[name]()).url, LOOKS[look])
    assert visit.barriers() == []
    assert visit.troubles() == []
    assert visit.is_as_wide_as_the_screen()
    assert visit.page.locator("h1").count() == 1


@pytest.mark.parametrize("look", LOOKS)
def test_the_configuration_is_for_everyone_too(serve: Serve, open_page: Open, look: str) -> None:
    hostile_search = HOSTILE[0].replace("'", "''")
    text = (
        "accounts: [{name: production, api_key: the-key, api_secret: the-secret, "
        f"search: '{hostile_search}'}}]"
    )
    shown = InventedSite([polled()], configuration=parse(text, {}))
    shown.problem = Failure("config", "c.yaml:1: wrong\nc.yaml:2: too", "Correct it.", NOW - 60)
    visit = open_page(serve(shown).url + "config", LOOKS[look])
    assert visit.barriers() == []
    assert visit.troubles() == []
    assert visit.is_as_wide_as_the_screen()
    (yaml,) = visit.page.locator("pre").all_inner_texts()
    assert "search: <script>alert(1)</script>" in yaml
    assert "api_key: <secret>" in yaml
    assert "the-secret" not in visit.page.content()


def test_it_works_without_javascript(serve: Serve, open_page: Open) -> None:
    served = serve(troubled())
    visit = open_page(served.url, Look(javascript=False))
    page = visit.page
    assert "1 of 3 accounts is failing" in visit.texts("h1")
    page.select_option("#filter-status", "attention")
    page.select_option("#filter-app", "reminders")
    page.click("#filter-apply")
    assert "status=attention" in page.url
    assert visit.texts(".tasks .id") == ["3", "2"]
    page.reload()
    assert page.locator("#filter-app").input_value() == "reminders"
    page.click("#incident-a")
    page.click("#incident-b")
    assert isinstance(served.site.demonstration, Incidents)
    assert served.site.demonstration.pressed == [("begin", "a"), ("end", "b")]
    assert "app=reminders" in page.url
    page.click("#filter-none")
    assert len(visit.texts(".tasks .id")) == 4


def test_a_finding_leads_to_its_tasks(serve: Serve, open_page: Open) -> None:
    visit = open_page(serve(site(polled(tasks=TASKS))).url)
    visit.page.get_by_role("link", name="Show the tasks").first.click()
    assert visit.texts(".tasks .id") == ["1", "3", "2"]
    assert visit.page.locator("#tasks").is_visible()


def test_the_first_tab_skips_to_the_content_and_every_stop_can_be_seen(
    serve: Serve, open_page: Open
) -> None:
    page = open_page(serve(troubled()).url).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    stops = 0
    while page.evaluate("document.activeElement !== document.body") and stops < 100:
        outline, inside = page.evaluate(
            """() => {
                const focused = document.activeElement, box = focused.getBoundingClientRect();
                return [getComputedStyle(focused).outlineStyle, box.width > 0 && box.height > 0];
            }"""
        )
        assert outline != "none"
        assert inside
        stops += 1
        page.keyboard.press("Tab")
    assert 20 < stops < 100


def test_it_refreshes_itself_and_loses_nothing(serve: Serve, open_page: Open) -> None:
    served = serve(site(polled(tasks=TASKS)))
    visit = open_page(served.url + "?status=attention&app=reminders", LOOKS["phone"])
    page = visit.page
    region = page.locator(".scroll").last
    region.focus()
    region.evaluate("each => { each.scrollLeft = 150; }")
    page.evaluate("window.scrollTo(0, 700)")
    assert visit.texts(".tasks .id") == ["3", "2"]
    before = page.evaluate("window.scrollY")
    served.site.accounts = [polled(tasks=[*TASKS, unfinished(9, app="reminders", silent_for=700)])]
    served.site.time += 60
    page.clock.run_for(11_000)
    expect(page.locator(".tasks tbody tr")).to_have_count(3)
    assert visit.texts(".tasks .id") == ["9", "3", "2"]
    assert page.evaluate("window.scrollY") == before
    assert region.evaluate("each => each.scrollLeft") == 150
    assert region.evaluate("each => each === document.activeElement")
    assert page.locator("#filter-status").input_value() == "attention"
    assert visit.troubles() == []


def test_what_is_being_chosen_is_not_taken_away(serve: Serve, open_page: Open) -> None:
    served = serve(site(polled(tasks=TASKS)))
    page = open_page(served.url).page
    page.select_option("#filter-status", "suspended")
    page.fill("#filter-text", "half a na")
    served.site.time += 60
    shown = page.locator("main time").first.inner_text()
    page.clock.run_for(11_000)
    expect(page.locator("main time").first).not_to_have_text(shown)
    assert page.locator("#filter-status").input_value() == "suspended"
    assert page.locator("#filter-text").input_value() == "half a na"
    assert page.evaluate("document.activeElement.id") == "filter-text"


def test_a_change_of_the_verdict_is_announced(serve: Serve, open_page: Open) -> None:
    served = serve(healthy())
    page = open_page(served.url).page
    assert page.locator("#notice").inner_text() == ""
    served.site.accounts = [failing("production")]
    page.clock.run_for(11_000)
    expect(page.locator("h1")).to_have_text("Polling fails")
    assert "Polling fails" in page.locator("#notice").inner_text()
    assert "Polling fails" in page.title()


def test_a_page_that_stands_still_says_so_and_recovers(serve: Serve, open_page: Open) -> None:
    served = serve(healthy())
    visit = open_page(served.url)
    page = visit.page
    page.route("**/*", lambda route: route.abort())
    page.clock.run_for(11_000)
    page.wait_for_selector("#notice.alarming")
    assert "The exporter does not answer." in page.locator("#notice").inner_text()
    assert visit.barriers() == []
    page.unroute("**/*")
    page.clock.run_for(11_000)
    page.wait_for_selector("#notice:not(.alarming)", state="attached")


def test_buttons_take_the_same_way_with_javascript(serve: Serve, open_page: Open) -> None:
    served = serve(troubled())
    visit = open_page(served.url + "?app=reminders")
    visit.page.click("#incident-a")
    assert isinstance(served.site.demonstration, Incidents)
    assert served.site.demonstration.pressed == [("begin", "a")]
    assert visit.page.url.endswith("?app=reminders")
    assert visit.troubles() == []
