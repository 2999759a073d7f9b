"""A backfill through real promtool into a real Prometheus, against what live polling published."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.backfill.request import Request
from exporter.backfill.work import Job, backfill
from exporter.simulator import SimulatedWorld, serve
from tests.backfill.live import (
    APPS,
    DAY,
    STEP,
    Points,
    Recording,
    Silent,
    config,
    hourly_difference,
    mean_difference,
    outside,
    read_points,
    record,
    world,
)
from tests.integration.servers import Prometheus, free_port, running
from tests.project.files import ROOT
from tests.virtual_time import BEGIN, VirtualTime

pytestmark = pytest.mark.integration

LABELS = {"job": "itnio", "instance": "host:10911"}
LATE = 75 * 60
"""Seconds after which live polling has read settled money again at the latest."""
RULES = ROOT / "prometheus" / "rules" / "recording.yml"
MEAN_DURATION = 2475.0
"""Seconds that a task of the simulated world lasts in the mean."""
ENDED = {"finished", "cancelled", "submission_failed"}


def promtool(*arguments: str) -> str:
    executable = shutil.which("promtool")
    assert executable, "no promtool on PATH: `make servers` installs it"
    done = subprocess.run(
        [executable, *arguments], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def prometheus_over(blocks: Path, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes nothing and keeps blocks of any age."""
    executable = shutil.which("prometheus")
    assert executable, "no prometheus on PATH: `make servers` installs it"
    folder.mkdir(exist_ok=True)
    settings = folder / "prometheus.yml"
    settings.write_text("{}")
    port = free_port()
    with running(
        [
            executable,
            f"--config.file={settings}",
            f"--storage.tsdb.path={blocks}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        port=port,
        log=folder / "prometheus.log",
    ) as server:
        server.wait_until_ready()
        yield Prometheus(server)


def stored(prometheus: Prometheus, name: str, begin: int, end: int) -> Points:
    """What Prometheus answers for a metric at each step, without the labels of scraping."""
    result: list[Any] = prometheus.api(
        "query_range", query=name, start=str(begin), end=str(end), step=str(STEP)
    )["result"]
    points: Points = {}
    for series in result:
        labels = series["metric"]
        assert labels.items() >= LABELS.items()
        own = {key: labels[key] for key in labels.keys() - LABELS.keys() - {"__name__"}}
        points[name, frozenset(own.items())] = {
            int(moment): float(value) for moment, value in series["values"]
        }
    return points


def hourly_rules(folder: Path) -> Path:
    """Of the recording rules, those that the baselines read: all of them take minutes."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    for group in groups:
        group["rules"] = [each for each in group["rules"] if each["record"].endswith("increase1h")]
    path = folder / "hourly.yml"
    path.write_text(json.dumps({"groups": [each for each in groups if each["rules"]]}))
    return path


def settled_moments(world: SimulatedWorld, moments: list[int], length: int) -> list[int]:
    """When a window held tasks, and nothing in it has changed since but what live had seen."""
    end = moments[-1]
    return [
        moment
        for moment in moments
        if (tasks := world.tasks(moment - LATE, moment - length + 1, moment))
        and tasks == world.tasks(end, moment - length + 1, moment)
    ]


def window_names(recording: Recording) -> set[str]:
    return {name for name, _ in recording.points if name.startswith("itnio_voice_window_")}


def hold_windows(live: Recording, prometheus: Prometheus, settled: dict[str, list[int]]) -> int:
    """Compare every window gauge at its settled moments; return how many samples were."""
    compared = 0
    for name in sorted(window_names(live)):
        kept = stored(prometheus, name, live.moments[0], live.moments[-1])
        for series, points in live.points.items():
            if series[0] != name:
                continue
            for moment in settled.get(dict(series[1])["window"], ()):
                if moment in points:
                    assert kept[series].get(moment) == points[moment], (series, moment)
                    compared += 1
    return compared


def hold_counters(live: Recording, prometheus: Prometheus, nights: tuple[int, int]) -> int:
    """Compare what counters gained between two settled moments; return how many gained."""
    first, last = nights
    gained = 0
    counters = {name for name, _ in live.points if name.endswith("_total")}
    for name in sorted(counters):
        kept = stored(prometheus, name, live.moments[0], live.moments[-1])
        for series, points in live.points.items():
            status = dict(series[1]).get("status")
            if series[0] != name or (status is not None and status not in ENDED):
                continue
            before, after = kept[series].get(first, 0), kept[series][last]
            wanted = points[last] - points.get(first, 0)
            assert after - before == pytest.approx(wanted, abs=1e-6), series
            gained += wanted > 0
    return gained


def answered_of_calls(live: Recording, app: str, moment: int) -> float:
    """The answer ratio of an app by the live counters, up to a moment."""
    answered, calls = (
        sum(
            points[moment]
            for series, points in live.points.items()
            if series[0] == f"itnio_voice_{name}_total" and dict(series[1])["app"] == app
        )
        for name in ("answered_calls", "calls")
    )
    return answered / calls


def hold_spreading(live: Recording, made: Mapping[float | None, Points]) -> None:
    """Compare what has not settled: spread over a task's duration it is closer to live."""
    apart: dict[str, dict[float | None, float]] = {}
    for name in ("calls", "answer_ratio", "average_call_duration_seconds"):
        for window in ("1h", "6h", "24h"):
            apart[f"{name} {window}"] = {
                duration: mean_difference(live.points, points, f"itnio_voice_window_{name}", window)
                for duration, points in made.items()
            }
    for name in ("calls_total", "spend_total"):
        apart[f"{name} hourly"] = {
            duration: hourly_difference(live.points, points, f"itnio_voice_{name}")
            for duration, points in made.items()
        }
    for name, by_duration in apart.items():
        print(name, *(f"{each:.2%}" for each in by_duration.values()))  # noqa: T201
        assert by_duration[MEAN_DURATION] < by_duration[0.0], name
    assert apart["calls 1h"][None] < 0.5 * apart["calls 1h"][0.0]
    assert apart["calls 24h"][MEAN_DURATION] < 0.01
    assert apart["answer_ratio 24h"][MEAN_DURATION] < 0.005


async def test_what_is_settled_is_what_live_polling_published(
    time: VirtualTime, tmp_path: Path
) -> None:
    past, output, blocks = world(), tmp_path / "history.om", tmp_path / "tsdb"
    async with await serve(past, clock=time.now) as simulator:
        live = await record(config(simulator), time, 2.6 * DAY)
        begin, end = live.moments[0], live.moments[-1]
        request = Request(
            begin=begin,
            end=end,
            step=STEP,
            labels=tuple(LABELS.items()),
            task_duration=MEAN_DURATION,
        )
        made: dict[float | None, Points] = {}
        for duration in (0.0, None, MEAN_DURATION):
            job = Job(
                config(simulator),
                replace(request, task_duration=duration),
                {},
                str(output),
                Silent(),
            )
            outcome = await backfill(job, outside(time))
            # A strict reader of OpenMetrics, to begin with.
            made[duration] = read_points(output, without=LABELS)
    assert not outcome.failed
    points = made[MEAN_DURATION]
    hold_spreading(live, made)
    assert begin == BEGIN
    assert {moment for times in points.values() for moment in times} == set(live.moments)

    settled = {
        label: settled_moments(past, live.moments, seconds)
        for label, seconds in (("6h", DAY // 4), ("24h", DAY))
    }
    assert min(map(len, settled.values())) > 40
    for name, labels in points.keys() - live.points.keys():
        # Nothing is made up: who is not in a window live is not in the file at that moment.
        assert name.endswith("_total"), (name, labels)

    promtool(
        *("tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h"),
        *(str(output), str(blocks)),
    )
    derived = tmp_path / "derived"
    with prometheus_over(blocks, tmp_path / "raw") as prometheus:
        count = prometheus.api(
            "query", query="count(last_over_time({job='itnio'}[3d]))", time=str(end)
        )
        assert int(count["result"][0]["value"][1]) == len(points)
        assert hold_windows(live, prometheus, settled) > 5_000
        nights = settled["24h"][0], settled["24h"][-1]
        assert nights[1] - nights[0] > 0.9 * DAY
        assert hold_counters(live, prometheus, nights) > 20
        # The baselines read recorded series, which have to be worked out for the past, too.
        promtool(
            *("tsdb", "create-blocks-from", "rules", "--eval-interval=5m"),
            *(f"--start={begin}", f"--end={end}", f"--url={prometheus.server.url}"),
            *(f"--output-dir={derived}", str(hourly_rules(tmp_path))),
        )
    # Not while that server runs: it would begin to compact what is only half there.
    for block in derived.iterdir():
        block.rename(blocks / block.name)
    groups = yaml.safe_load(RULES.read_text())["groups"]
    baselines = {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}
    with prometheus_over(blocks, tmp_path / "recorded") as prometheus:
        for name in (
            "itnio:app_answer_ratio:baseline7d",
            "itnio:app_call_duration_seconds:baseline7d",
            "itnio:app_call_spend_per_second:baseline7d",
            "itnio:scope_spend:mean_day7d",
        ):
            found = prometheus.api("query", query=baselines[name], time=str(end))["result"]
            assert found, name
            assert all(float(each["value"][1]) > 0 for each in found), name
        ratios = prometheus.api(
            "query", query=baselines["itnio:app_answer_ratio:baseline7d"], time=str(end)
        )["result"]
    assert {each["metric"]["app"] for each in ratios} == {app.name for app in APPS}
    for each in ratios:
        published = answered_of_calls(live, each["metric"]["app"], end - DAY)
        assert float(each["value"][1]) == pytest.approx(published, rel=0.03)
