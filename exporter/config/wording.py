"""How places and found values are put into words, without giving away what may be a secret."""

import difflib
import re
from collections.abc import Iterable

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_LONGEST_SHOWN = 40


def join_path(path: str, key: str) -> str:
    """Return the path of a key within the mapping at `path`."""
    return f"{path}.{key}" if path else key


def shown_key(text: str) -> str:
    """Return a key as it may be shown: up to the first character that no key of ours has.

    `{api_secret:hunter2}` is one YAML key with no value; what follows the colon must stay unseen.
    A key with a digit is none of ours, and may be a secret on a line of its own.
    """
    match = _KEY.match(text)
    if match is None or any(char.isdigit() for char in match[0]):
        return "…"
    return match[0] if match[0] == text else f"{match[0]}…"


def shown_value(text: str) -> str:
    """Return a value in quotes: bounded, on one line, harmless to a terminal."""
    cut = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return f"'{escaped(cut)}'"


def escaped(text: str) -> str:
    """Return the text with everything that does not print as itself as a backslash escape."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant."""
    by_folded = {word.lower().replace("-", "_"): word for word in known}
    folded = text[:80].lower().replace("-", "_")
    matches = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None
