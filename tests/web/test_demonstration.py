from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from exporter.web.demonstration import Offer
from tests.web.reading import read
from tests.web.servers import served
from tests.web.worlds import NOW, InventedSite, polled

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Incidents:
    pressed: list[tuple[str, str]] = field(default_factory=list)

    def offers(self) -> Sequence[Offer]:
        return [
            Offer("calm", "It goes wrong", "Seen at once."),
            Offer("going", "It goes on", "Was seen.", NOW - 30),
        ]

    def begin(self, name: str) -> None:
        if name not in {"calm", "going"}:
            raise KeyError(name)
        self.pressed.append(("begin", name))

    def end(self, name: str) -> None:
        self.begin(name)
        self.pressed[-1] = ("end", name)


async def test_the_exporter_proper_has_no_such_thing() -> None:
    async with served(InventedSite([polled()])) as client:
        answer = await client.post("/demonstration", data=b"begin=calm", headers=FORM)
        assert answer.status == 404
        text = await (await client.get("/", headers={"Accept-Encoding": "identity"})).text()
        assert "demonstration" not in text
        assert "button" in text  # that of the filters


async def test_a_button_does_its_work_and_shows_the_same_page_again() -> None:
    site = InventedSite([polled()], demonstration=(incidents := Incidents()))
    async with served(site) as client:
        for body, query, location in (
            (b"begin=calm", "?app=a%26b&status=calling&evil=//x", "./?app=a%26b&status=calling"),
            (b"end=going", "", "./"),
        ):
            answer = await client.post(
                f"/demonstration{query}", data=body, headers=FORM, allow_redirects=False
            )
            assert answer.status == 303
            assert answer.headers["Location"] == location
    assert incidents.pressed == [("begin", "calm"), ("end", "going")]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"begin=calm", {"Origin": "http://evil.example"}, 403),
        (b"begin=calm", {"Origin": "null"}, 403),
        (b"begin=calm", {"Sec-Fetch-Site": "cross-site"}, 403),
        (b"begin=calm", {"Sec-Fetch-Site": "same-site"}, 403),
        (b"begin=whatever", {}, 404),
        (b"", {}, 400),
        (b"other=calm", {}, 400),
        (b"\xff\x00", {}, 400),
        (b"begin=calm&" + b"x" * 20_000, {}, 413),
    ],
)
async def test_nothing_happens_by_mistake_or_from_elsewhere(
    body: bytes, headers: dict[str, str], status: int
) -> None:
    site = InventedSite([polled()], demonstration=(incidents := Incidents()))
    async with served(site) as client:
        answer = await client.post("/demonstration", data=body, headers={**FORM, **headers})
        assert answer.status == status
        assert (await answer.text()).startswith(str(status))
    assert incidents.pressed == []


async def test_a_look_at_the_page_begins_nothing() -> None:
    site = InventedSite([polled()], demonstration=(incidents := Incidents()))
    async with served(site) as client:
        assert (await client.get("/demonstration?begin=calm")).status == 405
    assert incidents.pressed == []


async def test_what_lasts_can_be_ended_and_what_does_not_be_begun() -> None:
    site = InventedSite([polled()], demonstration=Incidents())
    async with served(site) as client:
        page = read(await (await client.get("/", headers={"Accept-Encoding": "identity"})).text())
    buttons = [
        (each["name"], each["value"])
        for tag, each in page.elements
        if tag == "button" and "name" in each
    ]
    assert buttons == [("begin", "calm"), ("end", "going")]
    assert "It goes on, begun 30 s ago. Was seen." in page.text
