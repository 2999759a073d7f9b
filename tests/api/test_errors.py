"""The tree of errors: what the poller and the metrics rely on."""

from collections.abc import Iterator

import pytest

from exporter.api import errors


def tree(kind: type[errors.ApiError] = errors.ApiError) -> Iterator[type[errors.ApiError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from tree(each)


# The label values of poll_failures_total, as the project has promised them.
PROMISED = (
    "authentication ip_restricted clock_skew system parameter rate_limited http timeout connection "
    "invalid_response incomplete deadline unknown_code internal"
)


def test_the_reasons_are_those_that_were_promised() -> None:
    assert sorted(errors.REASONS) == sorted(PROMISED.split())
    assert {kind.reason for kind in tree()} == set(errors.REASONS)


@pytest.mark.parametrize("kind", list(tree()), ids=lambda kind: kind.__name__)
def test_every_error_says_what_can_be_done(kind: type[errors.ApiError]) -> None:
    assert kind.remedy.endswith(".")
    assert not (kind.refusal and kind.passing)


def test_only_refusals_hold_back_the_account() -> None:
    refusals = {kind for kind in tree() if kind.refusal}
    expected: set[type[errors.ApiError]] = {
        errors.AuthenticationError,
        errors.IPRestrictedError,
        errors.RefusedStatusError,
    }
    assert refusals == expected


@pytest.mark.parametrize("message", [None, "", "no", "x" * 10_000, "a\nb\x00\u202e", [1], {"a": 1}])
def test_messages_are_quoted_on_one_line_and_bounded(message: object) -> None:
    for code in (-1, 5, "odd", "x" * 10_000, 10**4000):
        error = errors.of_code(code, message)
        assert error.code == code
        assert str(error).isprintable()
        assert len(str(error)) < 600
