"""What README and CONTRIBUTING tell people to type and to read exists."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from exporter import config
from tests.project.files import (
    ROOT,
    development_requirements,
    project_files,
    read,
    runtime_requirements,
    tool_requirements,
)

PAGES = sorted(str(path.relative_to(ROOT)) for path in project_files() if path.suffix == ".md")


def make_targets() -> set[str]:
    return set(re.findall(r"(?m)^([a-z-]+):", read("Makefile")))


def code(page: str) -> str:
    """What stands in code blocks and between backticks."""
    return "\n".join(re.findall(r"(?s)```.*?```|`[^`\n]+`", read(page)))


@pytest.mark.parametrize("page", PAGES)
def test_make_commands_exist(page: str) -> None:
    assert set(re.findall(r"\bmake ([a-z-]+)", code(page))) <= make_targets()


def anchors(page: Path) -> set[str]:
    """What can be linked to within a page, as GitHub makes it of its headings."""
    text = re.sub(r"(?s)```.*?```", "", page.read_text())
    headings = re.findall(r"(?m)^#+ +(.+?) *$", text)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    astray = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", read(page)):
        path, _, anchor = link.partition("#")
        target = here / path if path else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            astray.append(link)
    assert astray == []


def test_readme_begins_with_the_two_commands() -> None:
    first_screen = "\n".join(read("README.md").splitlines()[:25])
    assert "make demo" in first_screen
    assert "make test" in first_screen


def readme_yaml(key: str) -> str:
    """The block of README that begins with this top-level key."""
    (block,) = [
        block
        for block in re.findall(r"(?s)```yaml\n(.*?)```", read("README.md"))
        if key in yaml.safe_load(block)
    ]
    assert isinstance(block, str)
    return block


def test_readme_shows_a_config_that_loads() -> None:
    environ = {"ITNIO_API_KEY": "key", "ITNIO_API_SECRET": "secret"}
    (account,) = config.parse(readme_yaml("accounts"), environ).accounts
    assert account.name == "production"


@pytest.mark.integration
def test_readme_shows_a_scrape_config_that_prometheus_takes(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "no promtool on PATH: `make servers` installs it"
    path = tmp_path / "prometheus.yml"
    path.write_text(readme_yaml("scrape_configs"))
    checked = subprocess.run(
        [promtool, "check", "config", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_help_names_every_target() -> None:
    told = set(re.findall(r"(?m)^##   make ([a-z-]+)", read("Makefile")))
    assert told == make_targets() - {"help", "servers"}


def test_every_dependency_says_why_it_is_here() -> None:
    section = read("CONTRIBUTING.md").split("\n## Dependencies\n")[1]
    told = re.findall(r"(?m)^- \*\*([a-z0-9-]+)\*\*: \S", section)
    needed = runtime_requirements() + development_requirements() + tool_requirements()
    assert sorted(told) == sorted({requirement.name for requirement in needed})


def test_the_drawing_shows_what_is_there() -> None:
    drawing = re.findall(r"(?s)```\n(.*?)```", read("docs/architecture.md"))[0]
    folders: dict[int, str] = {}
    drawn = []
    for line in drawing.splitlines():
        indent = len(line) - len(line.lstrip())
        name = line.split()[0]
        above = "".join(folder for depth, folder in folders.items() if depth < indent)
        drawn.append(above + name)
        if name.endswith("/"):
            folders = {depth: kept for depth, kept in folders.items() if depth < indent}
            folders[indent] = name
    assert [path for path in drawn if not (ROOT / path).exists()] == []
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "exporter").glob("*.py")}
    assert modules - {"exporter/__init__.py", "exporter/__main__.py"} <= set(drawn)
