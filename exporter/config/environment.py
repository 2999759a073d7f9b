"""`${VAR}` and `${VAR:-default}` in strings; `$$` is a dollar sign.

Substitution happens in the values YAML has already found, so that nothing in a variable can change
the structure of the file. As in a shell, the default is used where the variable is unset or empty.
Any other dollar sign stays what it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from exporter.config.problems import Refusal

_REFERENCE = re.compile(
    r"\$\$|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\}|(?P<broken>\$\{)"
)


@dataclass(frozen=True, slots=True)
class Substituted:
    """A text and the variables its value came from (a default that was used is none)."""

    text: str
    variables: tuple[str, ...] = ()


def substitute(text: str, environ: Mapping[str, str]) -> Substituted:
    """Replace every reference; Refusal where a variable is unset or a reference malformed."""
    if "$" not in text:
        return Substituted(text)
    unset: list[str] = []
    used: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match["broken"]:
            # The text is not shown, it may be a secret.
            raise Refusal(
                "has a '${' that is not ${VAR} or ${VAR:-default}; "
                "complete it, or write '$$' for a dollar sign"
            )
        name, default = match["name"], match["default"]
        if name is None:
            return "$"
        value = environ.get(name)
        if value is not None and (value or default is None):
            used.append(name)
            return value
        if default is None:
            unset.append(name)
            return ""
        return default

    result = _REFERENCE.sub(replace, text)
    if unset:
        names = " and ".join(f"${{{name}}}" for name in dict.fromkeys(unset))
        verb, pronoun = ("are", "them") if len(set(unset)) > 1 else ("is", "it")
        raise Refusal(
            f"{names} {verb} not set in the environment; set {pronoun}, or write ${{VAR:-default}}"
        )
    return Substituted(result, tuple(dict.fromkeys(used)))
