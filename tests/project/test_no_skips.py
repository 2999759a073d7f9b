"""The plugin that makes a skip a failure in CI, tried on a run of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.files import ROOT

PASSES = "def test_passes(): pass\n"
SKIPS = "import pytest\n@pytest.mark.skip(reason='no server')\ndef test_skips(): pass\n"
SKIPS_INSIDE = "import pytest\ndef test_skips(): pytest.skip('no server')\n"
SKIPS_WHOLE = "import pytest\npytest.skip('no server', allow_module_level=True)\n"
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail\ndef test_xfails(): assert False\n"


def run(folder: Path, source: str, *arguments: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(PASSES + source)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-p", "no:cacheprovider"),
            *("--rootdir", str(folder), *arguments, "test_it.py"),
        ],
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("source", [SKIPS, SKIPS_INSIDE, SKIPS_WHOLE])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_skip_fails_in_ci(tmp_path: Path, source: str, workers: str) -> None:
    result = run(tmp_path, source, "-n", workers, ci="true")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED, result.stdout
    assert "skipped, which CI does not allow" in result.stdout
    assert "test_it.py" in result.stdout.split("does not allow")[1]


@pytest.mark.parametrize("ci", ["", "false"])
def test_a_skip_is_a_skip_elsewhere(tmp_path: Path, ci: str) -> None:
    result = run(tmp_path, SKIPS, ci=ci)
    assert result.returncode == pytest.ExitCode.OK, result.stdout


@pytest.mark.parametrize("source", ["", EXPECTED_FAILURE])
def test_a_run_without_skips_passes_in_ci(tmp_path: Path, source: str) -> None:
    result = run(tmp_path, source, ci="true")
    assert result.returncode == pytest.ExitCode.OK, result.stdout


def test_this_run_is_guarded(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.pluginmanager.has_plugin("tests.no_skips")
