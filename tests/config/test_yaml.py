"""Bad and hostile YAML."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import ConfigError, Problem, parse
from exporter.config.fields import ACCOUNT, POLL
from tests.config.texts import ACCOUNTS


@pytest.mark.parametrize(
    ("text", "start", "words"),
    [
        ("a: 1\n b: 2", "2: (file)", "at column 3: a ': ' is not expected here"),
        ("poll:\n\tinterval: 1s", "2: poll", "at column 1: there is a tab; indent with spaces"),
        ("poll: {interval: 1s", "1: poll", "at column 7: a list in [ ] or a mapping"),
        ("poll:\n  settle: 'x", "2: poll.settle", "at column 11: a quotation mark is opened"),
        ('poll:\n  settle: "x\n\n\na: b', "2: poll.settle", "a quotation mark is opened here"),
        ("a: @x", "1: a", "at column 4: a value cannot begin with this character"),
        ("a: `x`", "1: a", "at column 4: a value cannot begin with this character"),
        ('a: "\\q"', "1: a", "a backslash in double quotes"),
        ('a: "\\UFFFFFFFF"', "1: a", "is not valid YAML after this line"),
        ("a: !b!c d", "1: a", "'!' begins a YAML tag"),
        ("a: - b", "1: a", "a '- ' is not expected here"),
        ("a: 1\n- b", "2: (file)", "this does not fit what stands before it"),
        ("a: 'b' c", "1: (file)", "this does not fit what stands before it"),
        ("a: 1\nb\nc: 2", "2: (file)", "a line is neither 'key: value' nor"),
        ("- a\nb", "2: [1]", "a line is neither 'key: value' nor '- item'"),
        ("{a: 1}}", "1: (file)", "text follows the end of the document"),
        ("%YAML 3.0\n---\na: 1", "1: (file)", "is not valid YAML at column 1"),
        ("a: ]", "1: a", "a value is missing here"),
        ("accounts:\n- {name: ${X}}", "2: accounts[0]", "quote a value with brackets"),
        ("a: *b", "1: a", "refers to an anchor (*…) that is not defined above"),
        ("a: &b [*b]", "1: a[0]", "refers to an anchor (*…) that is not defined above"),
        ("a: 1\n---\nb: 1", "2: (file)", "a second document begins here"),
        ("<<: 1", "1: <<", "merges what is no mapping"),
    ],
)
def test_bad_yaml_is_told_in_plain_words(text: str, start: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, {})
    told = [str(problem) for problem in caught.value.problems]
    assert any(one.startswith(f"config.yaml:{start}: ") and words in one for one in told), told


def _laughs(merge: str = "") -> str:
    lines = [f"a0: &a0 {{{merge}x: 1}}" if merge else "a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    return "\n".join(lines)


MANY_KEYS = ", ".join(f"k{n}: 1" for n in range(5000))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_laughs(), "grows beyond all bounds through its aliases"),
        (f"a: &a {{{MANY_KEYS}}}\n" + "b: {<<: *a}\n" * 5000, "merge keys"),
        (f"a: &a {{{MANY_KEYS}}}\nb: {{<<: [{'*a, ' * 5000}]}}\n", "beyond all bounds"),
        ("[" * 500_000, "nested more than 20 levels deep"),
        ("- " * 300_000, "nested more than 20 levels deep"),
        ("? " * 300_000, "nested more than 20 levels deep"),
        ("a: b\n" * 60_000, "more values than any configuration needs"),
        ("accounts:\n- &a {}\n" + "- *a\n" * 20_000, "more problems; mend these first"),
        ("accounts:\n- &a {timezone: Nowhere}\n" + "- *a\n" * 5_000, "more problems"),
    ],
    ids=range(9),
)
def test_hostile_yaml_ends_soon(text: str, words: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ConfigError) as caught:
        parse(text, {})
    assert words in str(caught.value)
    assert time.monotonic() - begun < 30
    assert len(caught.value.problems) <= 60_000


def outcome(text: str) -> tuple[Problem, ...]:
    """Return the problems of a text: none if it is a config, at least one if not."""
    try:
        config = parse(text, {"A": "x"})
    except ConfigError as error:
        return error.problems or (Problem("", 0, "", "an error without a problem"),)
    return config.warnings


KEYS = [field.name for section in (POLL, ACCOUNT) for field in section.fields]
PIECES = st.sampled_from(
    ["accounts:", "poll:", "metrics:", "- ", "  ", "\n", "\n  ", "\n- ", ": ", "{", "}", "[", "]",
     ", ", "&a ", "*a", "<<: ", "!", "'", '"', "#", "|", ">", "%", "---", "${A}", "${A:-1}", "${",
     "$$", "1h", "0", "yes", "\t", "\\", "é", "\u2028", "\x85"]
    + [f"{key}: " for key in KEYS]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join) | st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_gives_a_config_or_a_config_error(text: str) -> None:
    problems = outcome(text)
    assert all(problem.line >= 1 and str(problem).isprintable() for problem in problems)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.sampled_from(KEYS), JSON)
@settings(max_examples=300, deadline=None)
def test_any_value_at_any_key_gives_a_config_or_a_config_error(key: str, value: object) -> None:
    text = f"poll: {{{key}: {value!r}}}\n{ACCOUNTS}  {key}: {value!r}\n"
    for one in (text, ACCOUNTS.replace("}", f", {key}: {value!r}}}")):
        assert all(str(problem).isprintable() for problem in outcome(one))
