"""The exporter's own metrics mean what the library's own rendering of them means."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.exposition.by_account import ByAccount
from exporter.exposition.own import ACCOUNTS_A_CHUNK, OwnRegistry, OwnText
from exporter.exposition.process import Garbage, Process
from exporter.exposition.render import EOF
from exporter.exposition.telemetry import Telemetry
from tests.exposition.snapshots import openmetrics_families

REASONS = ("timeout", "deadline")
LIVE = ("process_", "python_gc_")
OTHERS = 2
"""Chunks of what is no account's: before and after those that are."""


def families(parsed: Iterable[Any]) -> dict[str, Any]:
    """Everything that does not change by itself."""
    return {
        each.name: (each.type, each.documentation, each.unit, each.samples)
        for each in parsed
        if not each.name.startswith(LIVE)
    }


def steady(text: OwnText, *, openmetrics: bool) -> bytes:
    chunks = text.steady(openmetrics=openmetrics)
    return b"".join(part for chunk in chunks for part in chunk.texts)


def check(telemetry: Telemetry, text: OwnText) -> None:
    registry = telemetry.registry
    ours = steady(text, openmetrics=False) + text.live(openmetrics=False)
    theirs = generate_latest(registry)
    assert families(parse_text(ours.decode())) == families(parse_text(theirs.decode()))
    opened = steady(text, openmetrics=True) + text.live(openmetrics=True) + EOF
    reference: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
    assert families(openmetrics_families(opened)) == families(openmetrics_families(reference))


ACCOUNT = st.sampled_from(["a", 'b "quoted" \\', "c"])
SECONDS = st.floats(0, 400)
EVENT: Any = st.one_of(
    st.tuples(st.just("request"), ACCOUNT, st.sampled_from(["0", "-1", "http_502"]), SECONDS),
    st.tuples(st.just("poll"), ACCOUNT, SECONDS, st.sampled_from([None, *REASONS])),
    st.tuples(st.just("rejected"), ACCOUNT, st.just(["figure"])),
    st.tuples(st.just("corrected"), ACCOUNT, st.integers(0, 9)),
    st.tuples(st.just("sweep_corrected"), ACCOUNT, st.integers(0, 9)),
    st.tuples(st.just("reloaded"), st.floats(0, 1e10), st.booleans()),
    st.tuples(st.just("forget"), ACCOUNT),
    st.tuples(st.just("refused_scrape")),
    st.tuples(st.just("store_committed"), SECONDS, st.integers(0, 10**9)),
    st.tuples(st.just("store_failed"), st.just("full")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENT, max_size=12))
def test_whatever_happens_is_told_as_the_library_tells_it(events: list[Any]) -> None:
    telemetry = Telemetry("1", REASONS)
    text = OwnText(telemetry.registry)
    accounts: dict[str, Any] = {}
    check(telemetry, text)
    for event, *values in events:
        happen(telemetry, accounts, event, values)
        # What is kept of before would show here, if anything forgot to say that it changed.
        check(telemetry, text)


def happen(telemetry: Telemetry, accounts: dict[str, Any], event: str, values: list[Any]) -> None:
    if event.startswith("store_"):
        getattr(telemetry.store(["full"]), event)(*values)
    elif event == "reloaded":
        telemetry.reloaded(values[0], successful=values[1])
    elif event == "refused_scrape":
        telemetry.refused_scrape()
    elif event == "forget":
        accounts.pop(values[0], None)
        telemetry.forget(values[0])
    else:
        name, *rest = values
        if name not in accounts:
            accounts[name] = telemetry.account(name)
        getattr(accounts[name], event)(*rest)


def test_what_has_not_changed_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = Telemetry("1", REASONS)
    account = telemetry.account("a")
    text = OwnText(telemetry.registry)
    before = text.steady(openmetrics=False)
    written: list[str] = []
    original = ByAccount.metric

    def noted(self: ByAccount, account: str, place: int) -> Metric:
        metric = original(self, account, place)
        written.append(f"{account} {metric.name}")
        return metric

    monkeypatch.setattr(ByAccount, "metric", noted)
    assert text.steady(openmetrics=False) is before
    assert written == []
    account.request("0", 0.25)
    after = text.steady(openmetrics=False)
    assert after != before
    assert sorted(written) == [
        "a itnio_exporter_api_request_duration_seconds",
        "a itnio_exporter_api_requests",
    ]
    # All but the two families' one chunk each, and what is no account's, are the same objects.
    assert len(set(map(id, after)) - set(map(id, before))) == 2 + OTHERS
    written.clear()
    assert steady(text, openmetrics=True) != b""
    assert written == []  # the lines are those of the other format


def test_an_account_that_comes_back_begins_anew() -> None:
    telemetry = Telemetry("1", REASONS)
    text = OwnText(telemetry.registry)
    ended = telemetry.account("a")
    ended.request("0", 0.25)
    counted = b'itnio_exporter_api_requests_total{account="a",code="0"} 1.0'
    assert counted in steady(text, openmetrics=False)
    telemetry.forget("a")
    telemetry.account("a")
    ended.request("0", 0.25)  # by a client that was ended meanwhile
    assert counted not in steady(text, openmetrics=False)
    check(telemetry, text)


def test_all_accounts_are_told_in_chunks_of_some() -> None:
    telemetry = Telemetry("1", REASONS)
    text = OwnText(telemetry.registry)
    accounts = [telemetry.account(f"a{number}") for number in range(2 * ACCOUNTS_A_CHUNK + 1)]
    before = set(map(id, kept := text.steady(openmetrics=False)))
    accounts[20].poll(1.0, None)
    changed = [each for each in text.steady(openmetrics=False) if id(each) not in before]
    assert len(changed) == 2 + OTHERS
    assert len(kept) > len(changed)
    telemetry.forget("a3")
    check(telemetry, text)
    # Whoever asks only now, as after a hand-over, is told of everything.
    check(telemetry, OwnText(telemetry.registry))


def test_only_what_is_steady_is_kept() -> None:
    registry = OwnRegistry()

    class Counting:
        count = 0

        def describe(self) -> list[Any]:
            return []

        def collect(self) -> list[Any]:
            self.count += 1
            return []

    live: Any = Counting()
    steady: Any = Counting()
    registry.register(live)
    registry.register(steady)
    registry.steady(steady)
    text = OwnText(registry)
    for _ in range(3):
        text.steady(openmetrics=False)
        text.live(openmetrics=False)
    assert (live.count, steady.count) == (3, 1)


def test_what_the_process_takes_is_what_the_library_reads() -> None:
    registry = OwnRegistry()
    for collector in (Process(registry), Garbage(registry)):
        named = [sample for metric in collector.collect() for sample in metric.samples]
        figures = collector.figures()
        assert len(figures) == len(named) > 0
        for sample, figure in zip(named, figures, strict=True):
            # Read a moment later: memory, time and collections go on.
            assert figure == pytest.approx(sample.value, rel=0.2, abs=20), sample.name


def test_figures_are_live_after_the_first_text() -> None:
    text = OwnText(Telemetry("1", REASONS).registry)

    def opened() -> float:
        for family in parse_text(text.live(openmetrics=False).decode()):
            if family.name == "process_open_fds":
                return family.samples[0].value
        raise AssertionError

    opened()
    before = opened()
    with Path("/dev/null").open(), Path("/dev/null").open():
        assert opened() == before + 2
    assert opened() == before
