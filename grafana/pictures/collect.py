"""Runs the demo under a real Prometheus, and writes what it answers to every panel.

Usage: python -m grafana.pictures.collect FOLDER SECONDS; one page of JavaScript a dashboard, and
its height in pixels.
"""

import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.grafana.dashboards import NAMES, load, panels, substituted
from tests.integration.servers import Prometheus, exporter, prometheus

# As a reader would have it who has just started the demo.
CHOSEN = {"account": ".*", "app": ".*", "script": ".*", "window": "24h"}
STEPS = 200
ROW, HEAD = 34, 60  # pixels, as draw.jsx lays them out


def answer(store: Prometheus, target: dict[str, Any], since: float, until: float) -> dict[str, Any]:
    """Ask one query as its panel does."""
    expression = substituted(target["expr"], CHOSEN)
    if target.get("instant"):
        result = store.api("query", query=expression, time=str(until))["result"]
        series = [{"metric": each["metric"], "points": [each["value"]]} for each in result]
    else:
        step = max(1, round((until - since) / STEPS))
        result = store.api(
            "query_range", query=expression, start=str(since), end=str(until), step=str(step)
        )["result"]
        series = [{"metric": each["metric"], "points": each["values"]} for each in result]
    return {
        "refId": target["refId"],
        "legendFormat": target.get("legendFormat", ""),
        "series": series,
    }


def main(folder: Path, seconds: float) -> None:
    """Let the demo run, then write a script a dashboard."""
    with ExitStack() as stack:
        demo = stack.enter_context(exporter("demo", log=folder / "demo.log"))
        demo.wait_until_ready()
        store = stack.enter_context(
            prometheus(folder, demo.url.removeprefix("http://"), metrics_path="/metrics")
        )
        time.sleep(seconds)
        until = time.time()
        for name in NAMES:
            dashboard = load(name)
            answers = {
                panel["id"]: [
                    answer(store, target, until - seconds, until) for target in panel["targets"]
                ]
                for panel in panels(dashboard)
            }
            data = {
                "dashboard": dashboard,
                "answers": answers,
                "from": until - seconds,
                "to": until,
            }
            (folder / f"{name}.js").write_text(f"window.DATA = {json.dumps(data)};\n")
            rows = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in dashboard["panels"])
            (folder / f"{name}.height").write_text(str(rows * ROW + HEAD))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
