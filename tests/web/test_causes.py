"""Why an account cannot be polled is said with the number that helps to look it up."""

import pytest

from exporter.api import errors
from exporter.snapshot import Failure, Health
from exporter.web.causes import REASONS, cause


def sentence(error: errors.ApiError) -> str:
    failure = Failure(error.reason, str(error), error.remedy, 0.0)
    return cause(failure, Health()).sentence


def test_an_http_error_is_told_with_its_status() -> None:
    told = sentence(errors.ServerStatusError("the API answers HTTP 503", status=503))
    assert told == "The API answers with an HTTP error: 503."


@pytest.mark.parametrize("code", [-99, 7, "E_BUSY"])
def test_a_code_that_is_not_documented_is_told(code: int | str) -> None:
    told = sentence(errors.of_code(code, "unknown error"))
    assert told == f"The API answers with a code that is not documented: {code!r}."


def test_a_message_without_a_number_is_told_all_the_same() -> None:
    for reason in REASONS:
        failure = Failure(reason, "no idea", "wait", 0.0)
        assert cause(failure, Health()).sentence.endswith(".")
