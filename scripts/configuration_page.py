"""docs/configuration.md: every key of config.yaml from the table that the loader works by."""  # noqa: INP001

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from exporter.config.fields import (
    ACCOUNT,
    ACCOUNT_OBJECTIVES,
    APP,
    METRICS,
    POLL,
    Field,
    Many,
    Section,
)
from exporter.config.kinds import Kind
from exporter.exposition.families import CATALOGUE

_ROOT: Final = Path(__file__).parents[1]

_INTRODUCTION: Final = """\
# Configuration

Generated from the table of keys in the code by `make docs`; `make check` holds it up to date.

One YAML file; [config.example.yaml](../config.example.yaml) has every key. Two commands help:

```sh
itnio-exporter check --config.file config.yaml          # every problem at once, each with its line
itnio-exporter check --live --config.file config.yaml   # also tries each account at the API
```

A problem is told as `FILE:LINE: KEY.PATH: what is wrong; what to do`, with exit status 2. Unknown
keys are problems, too. A key without a value has its default.

- **Durations** are Prometheus durations: `500ms`, `30s`, `5m`, `1h30m`, `1d`, `1w`.
- **Environment**: `${VAR}` in any value is replaced by an environment variable; unset, it is a
  problem. `${VAR:-default}` has a default for what is unset or empty; `$$` is a dollar sign. What
  a variable holds never changes the structure of the file.
- **Secrets**: `api_key` and `api_secret` belong into the environment or, better, into a file
  (`api_secret_file`), which is read again when it changes. They are never shown: not in logs,
  pages, errors or metrics.
- **Reload**: SIGHUP, or `POST /-/reload` with `--web.enable-lifecycle`. A file with a problem
  changes nothing.
"""

_END: Final = """\
## Trying it

`itnio-exporter check --live` asks the API as polling would, for each account by itself, and ends
with exit status 1 where something is wrong:

| what | what is found |
|---|---|
| way | DNS, a refused connection, TLS, a time-out, a proxy, a web page or HTTP error instead |
| clock | how far this host's clock is off, and whether the API refuses requests for it (-16) |
| credentials | a wrong key or secret (-1); an address that is not allowed (-2), and which |
| zone | whether `timezone` is right |
| load | tasks in `lookback`, requests, series; settings that would suit better |

**How the zone is found.** The API writes local times without saying whose. No task is created in
the future, so the newest one rules out every zone further west, for sure. In a zone further east
nothing would have been created for hours; it is called very likely wrong only where so many tasks
came at those very hours one, two and seven days before that this cannot be chance. Where few tasks
are created, the answer is that it cannot be told. `--live.wait 10m` waits for a task to be created,
and then it is known for sure.

`itnio-exporter tasks` shows the newest tasks as the API has them now, with filters, in place
(`--watch`) or as JSON or CSV.

## In an editor

`itnio-exporter schema` prints a JSON Schema (draft 2020-12) of the file;
[config.schema.json](config.schema.json) is a copy. Editors with the YAML language server complete
and explain keys where the file begins with

```yaml
# yaml-language-server: $schema=config.schema.json
```

and the schema lies beside it (`itnio-exporter schema > config.schema.json`). The schema wants
numbers without quotes. It does not know what depends on several keys, on the environment or on
other files: `check` does.

## In a shell

Commands and flags are completed by the shell after, for bash (`zsh_source` and `fish_source` for
the others):

```sh
eval "$(_ITNIO_EXPORTER_COMPLETE=bash_source itnio-exporter)"
```
"""

_TABLES: Final = (
    ("poll", POLL),
    ("metrics", METRICS),
    ("accounts", ACCOUNT),
    ("apps of an account", APP),
    ("objectives of an account or (but for minimum_balance) of an app", ACCOUNT_OBJECTIVES),
)


def configuration_page() -> str:
    """Return docs/configuration.md."""
    lines = [_INTRODUCTION]
    for title, section in _TABLES:
        lines += [f"## {title}", "", section.help, "", *_table(section), ""]
        if section.either:
            names = " and ".join(f"`{name}`" for name in section.either)
            lines += [f"Of {names} exactly one is given.", ""]
    lines += ["### Which alerts read them", "", *_objectives(), ""]
    return "\n".join([*lines, _END])


def _table(section: Section) -> Iterator[str]:
    yield "| key | type | default | meaning | example |"
    yield "|---|---|---|---|---|"
    for field in section.fields:
        example = _code(field.example)
        cells = (f"`{field.name}`", _type(field), _default(field), field.help, example)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(field: Field) -> str:
    match field.kind:
        case Many(of=Kind(wants=wants)):
            return f"list, each {wants}"
        case Many():
            return "list of mappings"
        case Section():
            return "mapping"
        case Kind(wants=wants):
            return re.sub("^an? ", "", wants)


def _default(field: Field) -> str:
    if field.required:
        return "**required**"
    match field.default:
        case None:
            return "none"
        case tuple(texts):
            return _code(f"[{', '.join(texts)}]")
        case text:
            return _code(text or '""')


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _objectives() -> Iterator[str]:
    yield "| objective | metric | alerts |"
    yield "|---|---|---|"
    for field in ACCOUNT_OBJECTIVES.fields:
        wanted = re.compile(rf"itnio_\w*objective_{field.name}(_seconds)?")
        for metric in (each.name for each in CATALOGUE if wanted.fullmatch(each.name)):
            alerts = (f"[{name}](runbooks/{name}.md)" for name in _readers(metric))
            yield f"| `{field.name}` | `{metric}` | {', '.join(alerts) or 'none'} |"


def _readers(metric: str) -> list[str]:
    """Return the alerts whose expression reads a metric, through recorded series too."""
    rules = [
        rule
        for path in sorted((_ROOT / "prometheus" / "rules").glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]
    reads = {metric}
    while found := {
        rule["record"]
        for rule in rules
        if "record" in rule and rule["record"] not in reads and _reads(rule["expr"], reads)
    }:
        reads |= found
    alerts = (rule for rule in rules if "alert" in rule and _reads(rule["expr"], reads))
    return sorted({rule["alert"] for rule in alerts})


def _reads(expression: str, names: set[str]) -> bool:
    return not names.isdisjoint(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", expression))
