"""The JSON Schema of the configuration, made from the table of its keys.

It knows one file by itself: what depends on other keys (a deadline within the interval, names that
differ), on the environment, on files and on this host's zones is left to the loader. It wants
numbers without quotes, with which the loader takes them too.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from exporter.config.fields import ROOT, Field, Many, Section
from exporter.config.kinds import Kind

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "reference"
# As in `environment`: `$$` is a dollar sign, and a `${` that is no reference is refused.
_LITERAL: Final = r"(?:[^$]|\$\$|\$(?![${]))"
_VARIABLE: Final = r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^{}]*)?\}"
_REFERENCES: Final = rf"^{_LITERAL}*{_VARIABLE}(?:{_LITERAL}|{_VARIABLE})*$"
_NOTHING: Final = {"type": "null"}

Schema = dict[str, Any]


def json_schema() -> Schema:
    """Return the schema of a whole file."""
    return {
        "$schema": DRAFT,
        "title": "Configuration of itnio-exporter",
        **_section(ROOT),
        "$defs": {
            _REFERENCE: {
                "type": "string",
                "pattern": _REFERENCES,
                "description": "Contains ${VAR} or ${VAR:-default}, from the environment.",
            }
        },
    }


def schema_text() -> str:
    """Return the schema as a file holds it."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _section(section: Section) -> Schema:
    schema: Schema = {
        "description": section.help,
        "type": "object",
        "properties": {field.name: _field(field) for field in section.fields},
        "additionalProperties": False,
    }
    required = [field.name for field in section.fields if field.required]
    if required:
        schema["required"] = required
    if section.either:
        schema["oneOf"] = [
            {"required": [name], "properties": {name: {"not": _NOTHING}}} for name in section.either
        ]
    return schema


def _field(field: Field) -> Schema:
    accepted = _accepted(field.kind)
    if not field.required:
        # A key without a value is as good as none.
        choices = accepted.pop("anyOf", None) or [accepted]
        accepted = {"anyOf": [*choices, _NOTHING]}
    schema: Schema = {**accepted, "description": field.help}
    default = default_of(field)
    if default is not None:
        schema["default"] = default
    if field.example:
        schema["examples"] = [_example(field)]
    return schema


def _accepted(kind: Kind | Many | Section) -> Schema:
    match kind:
        case Section():
            return _section(kind)
        case Many():
            fewest = {"minItems": kind.fewest} if kind.fewest else {}
            return {"type": "array", "items": _accepted(kind.of), **fewest}
        case Kind():
            own = dict(kind.schema)
            choices = own.pop("anyOf", None) or [own]
            return {"anyOf": [*choices, {"$ref": f"#/$defs/{_REFERENCE}"}]}


def default_of(field: Field) -> Any:
    """Return a key's default as JSON has it; None where there is none."""
    match field.kind, field.default:
        case Many(of=Kind() as kind), tuple(texts):
            return [_as_json(text, kind.schema) for text in texts]
        case Many(), tuple():
            return []
        case Kind() as kind, str(text):
            return _as_json(text, kind.schema)
    return None


def _example(field: Field) -> Any:
    match field.kind:
        case Many(of=Kind() as kind):
            items = field.example.strip("[]").split(", ")
            return [_as_json(item, kind.schema) for item in items]
        case Kind() as kind:
            return _as_json(field.example, kind.schema)
    return field.example


def _as_json(text: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    return json.loads(text) if kind in ("integer", "number", "boolean") else text
