"""The project's own files, as the tests of this folder read them."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

# Made by running, building and testing: .gitignore names them too.
_MADE = {"__pycache__", "build", "dist", "data"}


def project_files() -> Iterator[Path]:
    """Every file that is written by hand or pinned; a checkout without git has the same ones."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if (not name.startswith(".") or name == ".ci")
            and name not in _MADE
            and not name.endswith(".egg-info")
        ]
        for name in names:
            # In a linked worktree .git is a file.
            if name not in {".git", ".coverage"}:
                yield Path(folder, name)


def read(name: str) -> str:
    return (ROOT / name).read_text()


def pyproject() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def runtime_requirements() -> list[Requirement]:
    """With every extra that users can choose."""
    project = pyproject()["project"]
    extras = [
        line
        for name, lines in project["optional-dependencies"].items()
        if name != "dev"
        for line in lines
    ]
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


def development_requirements() -> list[Requirement]:
    return [Requirement(line) for line in pyproject()["project"]["optional-dependencies"]["dev"]]


def tool_requirements() -> list[Requirement]:
    """What builds and what pins: the requirements/*.in."""
    return [
        Requirement(line)
        for path in sorted((ROOT / "requirements").glob("*.in"))
        for line in path.read_text().splitlines()
        if line and not line.startswith("#")
    ]


def pinned(name: str) -> dict[str, str]:
    """The versions of a requirements file; AssertionError where one is not pinned by hash."""
    pins: dict[str, str] = {}
    text = re.sub(r"(?m)^\s*#.*\n", "", read(f"requirements/{name}.txt")).replace("\\\n", " ")
    for line in filter(str.strip, text.splitlines()):
        requirement, *hashes = line.split("--hash=")
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^ ;]+)\s*(;.*)?", requirement.strip())
        assert match, f"not pinned: {line}"
        assert hashes, f"without a hash: {line}"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value.strip()) for value in hashes), line
        pins[canonicalize_name(match[1])] = match[2]
    assert pins, f"{name}.txt pins nothing"
    return pins
