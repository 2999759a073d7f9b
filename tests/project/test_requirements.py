"""What is installed is pinned, complete and the same everywhere."""

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.files import (
    development_requirements,
    pinned,
    project_files,
    pyproject,
    runtime_requirements,
    tool_requirements,
)

# In parts, so that this file does not name what it looks for.
INDEX_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("npmjs", "org"),
    )
]


def unmet(requirements: list[Requirement], pins: dict[str, str]) -> list[str]:
    return [
        str(requirement)
        for requirement in requirements
        if (version := pins.get(canonicalize_name(requirement.name))) is None
        or not requirement.specifier.contains(version)
    ]


def test_runtime_requirements_are_pinned() -> None:
    assert unmet(runtime_requirements(), pinned("run")) == []


def test_development_requirements_are_pinned() -> None:
    assert unmet(development_requirements(), pinned("dev")) == []


def test_build_requirements_are_pinned() -> None:
    backend = [Requirement(line) for line in pyproject()["build-system"]["requires"]]
    assert unmet(backend, pinned("build")) == []
    assert unmet(tool_requirements(), pinned("build") | pinned("pin")) == []


def test_ci_tests_the_versions_that_are_shipped() -> None:
    assert pinned("run").items() <= pinned("dev").items()


def test_what_is_not_pinned_is_found() -> None:
    wanted = [Requirement("absent"), Requirement("old>=2"), Requirement("Fine_Name>=1")]
    assert unmet(wanted, {"old": "1", "fine-name": "1.5"}) == ["absent", "old>=2"]


@pytest.mark.parametrize("host", INDEX_HOSTS)
def test_no_file_names_the_host_of_an_index(host: str) -> None:
    # Where packages come from is the installing machine's choice.
    naming = [path for path in project_files() if host in path.read_text(errors="replace")]
    assert naming == []
