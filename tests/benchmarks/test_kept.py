"""What is kept of a run that was broken off."""

from pathlib import Path

from benchmarks.detection import plan
from benchmarks.detection.alerts import Firing
from benchmarks.detection.kept import Kept
from benchmarks.detection.run import OURS, Result


def result(name: str) -> Result:
    account = plan.Account(name, plan.settings(1, 10.0), (), plan.EPOCH + plan.DAY)
    return Result(account, (), {OURS: [Firing("Trouble", (("app", "a"),), 60, 120)]}, 7, 1.5)


def test_it_goes_on_from_what_is_there(tmp_path: Path) -> None:
    Kept(tmp_path / "runs", "rules").write(result("quiet-1"))
    found = Kept(tmp_path / "runs", "rules").read(["quiet-1", "quiet-2"])
    assert found == {"quiet-1": result("quiet-1")}


def test_results_of_other_rules_are_not_taken(tmp_path: Path) -> None:
    Kept(tmp_path, "rules").write(result("quiet-1"))
    assert Kept(tmp_path, "changed").read(["quiet-1"]) == {}
