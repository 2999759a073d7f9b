"""What is in prometheus/ is right for newer servers than the one that Debian 12 has."""

import re
import shutil
from pathlib import Path

import pytest

from tests.prometheus.files import ROOT, RULE_FILES, TEST_FILES, accepted

FETCHED = ROOT / ".tools" / "prometheus" / "newer" / "promtool"
"""Where scripts/install-servers unpacks it."""
LEAST = (2, 53)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def promtool() -> str:
    """The newer one: the fetched, or the installed where that is new enough."""
    path = FETCHED if FETCHED.exists() else Path(shutil.which("promtool") or FETCHED)
    assert path.exists(), f"no {FETCHED}: `make servers` fetches it"
    said = accepted(str(path), "--version")
    found = re.search(r"version (\d+)\.(\d+)", said)
    assert found, said
    assert (int(found[1]), int(found[2])) >= LEAST, f"{path} is too old; `make servers` fetches one"
    return str(path)


def test_it_finds_nothing_to_say(promtool: str) -> None:
    accepted(promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULE_FILES)


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_rules_do_what_their_tests_say(promtool: str, path: Path) -> None:
    accepted(promtool, "test", "rules", path)


def test_it_takes_the_example(promtool: str) -> None:
    said = accepted(promtool, "check", "config", "prometheus.example.yml")
    assert f"{len(RULE_FILES)} rule files found" in said
