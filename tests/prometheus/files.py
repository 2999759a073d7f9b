"""What prometheus/ holds, as the tests of this folder read it."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
RULE_FILES = sorted((FOLDER / "rules").glob("*.yml"))
TEST_FILES = sorted((FOLDER / "tests").glob("*.yml"))


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule as it is written."""

    name: str
    rule: dict[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        return {"alertname": self.name, **self.rule["labels"]}

    @property
    def annotations(self) -> dict[str, str]:
        annotations: dict[str, str] = self.rule["annotations"]
        return annotations


def _alerts() -> list[Alert]:
    rules = (
        rule
        for path in RULE_FILES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    )
    return [Alert(rule["alert"], rule) for rule in rules if "alert" in rule]


ALERTS = _alerts()
NAMES = [alert.name for alert in ALERTS]


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """promtool or amtool, in prometheus/; it must be installed."""
    executable = shutil.which(tool)
    assert executable, f"no {tool} on PATH: `make servers` installs it"
    command: Sequence[str | Path] = [executable, *arguments]
    return subprocess.run(
        command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300
    )


def accepted(tool: str, *arguments: str | Path) -> str:
    """What the tool says where it is content."""
    done = run(tool, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
