"""What a scrape is answered with: everything, or the names that were asked for."""

import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.simulator import FaultKind, ScriptedWorld
from tests.exposition.snapshots import openmetrics_families
from tests.poller.following import CALLING, Run, following, record
from tests.virtual_time import BEGIN, VirtualTime

GOLDEN = Path(__file__).with_name("golden.txt")
HOSTILE = 'a "quoted" \\ name\nin <b>two</b> lines'

OBJECTIVES = """\
apps:
  - {id: 12, name: collections, objectives: {answer_ratio: 0.25}}
  - {id: 15, name: reminders}
objectives: {answer_ratio: 0.3, failure_ratio: 0.2, average_call_duration: 20s, daily_spend: 500}"""


def world() -> ScriptedWorld:
    """A finished task, one that is calling, one of another app with another currency."""
    scripted = ScriptedWorld()
    scripted.add(record(1, BEGIN - 600), app=12)
    scripted.add(
        record(2, BEGIN - 7200, status=CALLING, callNum=4, rate="40", taskName=HOSTILE), app=12
    )
    scripted.add(
        record(3, BEGIN - 60, scriptId=70, status=9, groupCallPayFee="1.5(EUR)", asr=None), app=15
    )
    return scripted


async def lived(run: Run) -> None:
    """Let the world go through a good, a better and a failed poll."""
    await run.scrape()
    run.world.add(record(4, BEGIN + 30), app=12)
    await run.until(130)
    run.go_wrong(FaultKind.API_CODE, -22)
    await run.until(190)


def stable(text: bytes) -> str:
    """An exposition without what differs between machines and runs."""
    lines = text.decode().splitlines()
    own = [line for line in lines if not re.match(r"(# (HELP|TYPE) )?(process|python)_", line)]
    varying = re.compile(r"_duration_seconds(_bucket|_sum)|build_info\{")
    return "".join(f"{_whole(line)}\n" for line in own if not varying.search(line))


def _whole(line: str) -> str:
    """A line whose time, if it has one, is without the fractions that requests take."""
    if not re.match(r"\w+(_age_seconds|_stalled_task_seconds|_skew_seconds|_success_\w+)\{", line):
        return line
    name, _, value = line.rpartition(" ")
    return f"{name} {float(value):.0f}"


async def test_the_exposition_is_the_golden_one(time: VirtualTime) -> None:
    """After a change that is meant: GOLDEN=write pytest tests/exposition/test_scrape.py."""
    async with following(time, world(), "windows: [1h]", OBJECTIVES) as run:
        await lived(run)
        text = stable(run.text())
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


async def test_both_formats_say_the_same(time: VirtualTime) -> None:
    async with following(time, world(), "windows: [1h]", OBJECTIVES) as run:
        await lived(run)
        exposition = run.accounts.exposition
        plain = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in parse_text(exposition.text(openmetrics=False).decode())
            for sample in family.samples
        }
        text = exposition.text(openmetrics=True)
        assert text.endswith(b"# EOF\n")
        assert text.count(b"# EOF") == 1
        opened = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in openmetrics_families(text)
            for sample in family.samples
        }
        assert opened.keys() == plain.keys()
        differing = {name for (name, of), each in opened.items() if plain[name, of] != each}
        assert all(name.startswith(("process_", "python_")) for name in differing)
        names = {dict(of).get("task_name") for _, of in opened}
        assert HOSTILE in names


async def test_a_compressed_scrape_is_the_same(time: VirtualTime) -> None:
    async with following(time, world(), account=OBJECTIVES) as run:
        scrape = run.accounts.exposition.scrape
        served = run.accounts.exposition.served
        packed = await scrape(openmetrics=True, compressed=True)
        assert stable(gzip.decompress(packed)) == stable(
            await scrape(openmetrics=True, compressed=False)
        )
        assert run.accounts.exposition.served == served + 2


def families(text: bytes) -> Iterator[str]:
    for line in text.decode().splitlines():
        if line.startswith("# TYPE "):
            yield line.split()[2]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("itnio_up", "itnio_up"),
        ("itnio_voice_calls_total", "itnio_voice_calls"),
        ("itnio_voice_calls", "itnio_voice_calls"),
        ("itnio_voice_task_info", "itnio_voice_task"),
        ("itnio_voice_task", "itnio_voice_task"),
        ("itnio_voice_window_spend", "itnio_voice_window_spend"),
        ("itnio_exporter_polls_total", "itnio_exporter_polls"),
        ("itnio_exporter_polls", "itnio_exporter_polls"),
        ("itnio_exporter_build_info", "itnio_exporter_build"),
        ("itnio_exporter_build", "itnio_exporter_build"),
        ("itnio_exporter_poll_duration_seconds", "itnio_exporter_poll_duration_seconds"),
        ("itnio_exporter_poll_duration_seconds_bucket", "itnio_exporter_poll_duration_seconds"),
        ("itnio_exporter_poll_duration_seconds_count", "itnio_exporter_poll_duration_seconds"),
        ("process_open_fds", "process_open_fds"),
        ("python_info", "python"),
    ],
)
@pytest.mark.parametrize("openmetrics", [False, True])
async def test_only_what_is_asked_for_by_name_is_sent(
    time: VirtualTime, name: str, found: str, *, openmetrics: bool
) -> None:
    async with following(time, world(), account=OBJECTIVES) as run:
        names = frozenset({name})
        text = run.accounts.exposition.text(openmetrics=openmetrics, names=names)
        shown = {each.removesuffix("_total").removesuffix("_info") for each in families(text)}
        assert shown == {found}
        read = openmetrics_families(text) if openmetrics else list(parse_text(text.decode()))
        assert [sample for family in read for sample in family.samples]
        if name == "itnio_exporter_poll_duration_seconds":
            for part in (b"_bucket{", b"_count{", b"_sum{"):
                assert name.encode() + part in text


async def test_names_can_be_many_or_unknown(time: VirtualTime) -> None:
    async with following(time, world(), account=OBJECTIVES) as run:
        names = frozenset({"itnio_up", "itnio_exporter_polls_total", "nonsense", "up{}\n"})
        text = run.accounts.exposition.text(openmetrics=False, names=names)
        assert set(families(text)) == {"itnio_up", "itnio_exporter_polls_total"}
        nothing = run.accounts.exposition.text(openmetrics=True, names=frozenset({"nonsense"}))
        assert nothing == b"# EOF\n"
