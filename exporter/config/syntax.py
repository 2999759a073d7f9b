"""The YAML parser's complaints in plain words.

Only these sentences are shown: the parser's own quote the text they trip over, which may be a
secret.
"""

import re
from typing import Final

import yaml

# The first pattern found in "context | problem" wins.
_PLAIN_WORDS: Final = {
    r"too many values": "it has more values than any configuration needs; make it smaller",
    r"\\t|tab character": "there is a tab; indent with spaces",
    r"quoted scalar \| found unexpected (end|document)": (
        "a quotation mark is opened here and never closed; close it"
    ),
    r"unknown escape|expected escape sequence": (
        "a backslash in double quotes begins an escape that YAML does not know; use single quotes"
    ),
    r"mapping values are not allowed": (
        "a ': ' is not expected here; check the indentation, and quote a value that contains ': '"
    ),
    r"could not find expected ':'": (
        "a line is neither 'key: value' nor '- item'; write a colon and a space after the key"
    ),
    r"sequence entries? (is|are) not allowed": (
        "a '- ' is not expected here; begin the list on a line of its own"
    ),
    r"flow (sequence|mapping)": (
        "a list in [ ] or a mapping in { } is not well-formed; separate values by commas, close "
        "the bracket, and quote a value with brackets, braces or commas, such as '${VAR}'"
    ),
    r"expected <block end>|block (mapping|sequence|collection)": (
        "this does not fit what stands before it; indent alike what belongs together, "
        "and write nothing after a closing quote"
    ),
    r"cannot start any token": "a value cannot begin with this character; quote it",
    r"anchor|alias|alphabetic or numeric": (
        "'&' and '*' begin an anchor or an alias; quote a value that begins with one of them"
    ),
    r"tag": "'!' begins a YAML tag; quote a value that begins with it",
    r"directive|%": "a line beginning with '%' is a YAML directive; quote it or remove it",
    r"document start": "text follows the end of the document; check the indentation",
    r"node content": "a value is missing here; write one",
}
_OTHERWISE: Final = "the parser cannot read on from here; check quotes, brackets and indentation"


def describe_fault(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line and what is wrong there."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        words = "there is a control character that YAML does not allow; remove it"
        return line, f"is not valid YAML at column {column}: {words}"
    if not isinstance(error, yaml.error.MarkedYAMLError):
        return 1, f"is not valid YAML: {_OTHERWISE}"
    problem, context = error.problem or "", error.context or ""
    # What is never closed, or a key without its colon, is noticed later, and mended where it began.
    began = re.search("end of stream|<stream end>|could not find expected ':'", problem)
    mark = (error.context_mark if began else None) or error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    found = f"{context} | {problem}"
    words = next(
        (w for pattern, w in _PLAIN_WORDS.items() if re.search(pattern, found)), _OTHERWISE
    )
    return line, f"is not valid YAML at column {column}: {words}"
