"""The Dockerfile is clean, and what is built from it answers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.files import ROOT


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run(
        [hadolint, "--config", ROOT / ".hadolint.yaml", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.integration
def test_it_is_built_and_answers() -> None:
    ran = subprocess.run(
        [ROOT / "scripts/try-image"], capture_output=True, text=True, check=False, timeout=900
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "/metrics answered with " in ran.stdout
    assert 'itnio_up{account="demo"} 1' in ran.stdout
