"""`itnio-exporter schema` prints what editors read, and what the repository has a copy of."""

import json
from pathlib import Path

from click.testing import CliRunner
from jsonschema import Draft202012Validator

from exporter.cli import main

COPY = Path(__file__).parents[2] / "docs" / "config.schema.json"


def test_it_prints_the_schema() -> None:
    result = CliRunner().invoke(main, ["schema"])
    assert (result.exit_code, result.stderr) == (0, "")
    schema = json.loads(result.stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert result.stdout == COPY.read_text()
