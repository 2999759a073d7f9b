import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import ConfigError, parse
from exporter.config.environment import substitute
from exporter.config.problems import Refusal
from tests.config.texts import account


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("${A}", "1"),
        ("x${A}y${A}", "x1y1"),
        ("${A:-d}", "1"),
        ("${NONE:-d}", "d"),
        ("${NONE:-}", ""),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("${NONE:-http://x:1}", "http://x:1"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$$${A}", "$${A}"),
        ("$A $ 5$", "$A $ 5$"),
        ("${NESTED}", "${A}"),
    ],
)
def test_substitution(text: str, result: str) -> None:
    assert substitute(text, {"A": "1", "EMPTY": "", "NESTED": "${A}"}).text == result


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A-b}", "${A:-${B}}", "${ A }"])
def test_a_malformed_reference_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(Refusal, match="complete it") as caught:
        substitute(f"geheim{text}", {"A": "1", "B": "2"})
    assert "geheim" not in str(caught.value)


def test_every_unset_variable_is_named() -> None:
    with pytest.raises(Refusal, match=r"^\$\{A\} and \$\{B\} are not set"):
        substitute("${A}${B}${A}", {})


@given(st.text(), st.dictionaries(st.sampled_from("ABC"), st.text()))
def test_dollars_written_twice_stand_for_any_text(text: str, environ: dict[str, str]) -> None:
    assert substitute(text.replace("$", "$$"), environ).text == text


def test_numbers_and_durations_can_come_from_the_environment() -> None:
    text = "poll: {interval: '${I}', concurrency: '${C:-7}'}\n" + account("timezone: UTC")
    config = parse(text, {"I": "2m"})
    assert (config.poll.interval, config.poll.concurrency) == (120, 7)


def test_a_variable_cannot_change_the_structure_of_the_file() -> None:
    text = account("timezone: UTC\nsearch: ${X}")
    assert parse(text, {"X": "a: [b, {c"}).accounts[0].search == "a: [b, {c"
    with pytest.raises(ConfigError, match=r"config.yaml:6: accounts\[0\].search: the value of \$"):
        parse(text, {"X": "a\nbase_url: http://evil"})


def test_keys_are_not_substituted() -> None:
    with pytest.raises(ConfigError, match="not a known key"):
        parse(account("${X}: UTC"), {"X": "timezone"})


def test_a_value_from_the_environment_is_never_shown() -> None:
    names = ("timezone", "currency", "base_url", "search", "name2", "api_secret_file")
    for name in names:
        with pytest.raises(ConfigError) as caught:
            parse(account(f"{name}: ${{X}}"), {"X": "geheim\n"})
        assert "geheim" not in str(caught.value)
