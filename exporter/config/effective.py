"""The configuration as it is in force, written as a file would be: defaults filled in, no secret.

What is written follows the table of keys, so a new key appears by itself; and a `Secret` shows a
mask wherever it turns up, since it shows nothing else to anybody.
"""

from decimal import Decimal
from typing import Any, Final

import yaml

from exporter.config.durations import format_duration
from exporter.config.fields import ROOT, Field, Many, Section
from exporter.config.kinds import STATUSES
from exporter.config.model import Account, Config, Window

_DURATION: Final = "duration"
_STATUS_NAMES: Final = {code: name for name, code in STATUSES.items()}


def effective_config(config: Config) -> str:
    """Return the configuration as YAML, in the order of the documentation."""
    return yaml.safe_dump(_section(ROOT, config), sort_keys=False, allow_unicode=True, width=100)


def _section(section: Section, model: Any) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for field in section.fields:
        value = _written(field.kind, getattr(model, _attribute(field)), field)
        if value is not None and value != {}:
            written[field.name] = value
    if isinstance(model, Account) and model.api_secret_file is not None:
        # The secret was read from there; one key says where it comes from.
        del written["api_secret"]
    return written


def _attribute(field: Field) -> str:
    return "timezone_name" if field.name == "timezone" else field.name


def _written(kind: Any, value: Any, field: Field) -> Any:
    """Return a value as YAML has it; None where there is nothing to write."""
    if isinstance(kind, Section):
        return _section(kind, value)
    if isinstance(kind, Many):
        return [_written(kind.of, each, field) for each in value]
    return None if value is None else _scalar(value, field)


def _scalar(value: Any, field: Field) -> Any:
    if isinstance(value, Window):
        return value.label
    if field.name == "statuses":
        return _STATUS_NAMES[value]
    if field.unit == _DURATION:
        return format_duration(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal | float | int):
        return _number(value)
    # A dollar would be read as the beginning of a variable. Of a Secret this is the mask.
    return str(value).replace("$", "$$")


def _number(value: Decimal | float) -> Any:
    if value == int(value):
        return int(value)
    # Digits that no float has are kept by writing them as text, which is read as well.
    return float(value) if Decimal(str(float(value))) == Decimal(str(value)) else str(value)
