"""What is left of an account's money: the answer of /sms/getBalance, read into amounts.

Its envelope is another than that of a page: ``status`` and ``reason``, and beside them ``balance``
(paid in), ``gift`` (given by the provider) and ``credit`` (how far it may go below), as text and
without a currency. Read as leniently as records are; a missing amount is not 0, it is absent.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from exporter.api import fields
from exporter.api.errors import InvalidResponseError, of_code, shortened
from exporter.tasks.task import Money

PATH: Final = "/sms/getBalance"
KINDS: Final = ("balance", "gift", "credit")


def read_balance(body: bytes, currency: str) -> Mapping[str, Money]:
    """Return the amounts by kind, those without a currency of their own in the given one.

    Raises the error of its status where that is not 0, and InvalidResponseError where the body
    cannot be read or tells no amount at all.
    """
    answer = _answer(body)
    status = _status(answer)
    if status is None:
        raise InvalidResponseError("the answer to the balance is JSON, but has no status")
    if status != 0:
        raise of_code(status, answer.get("reason") or answer.get("msg"))
    amounts = {}
    for kind in KINDS:
        amount = _amount(kind, answer.get(kind), currency)
        if amount is not None:
            amounts[kind] = amount
    if not amounts:
        raise InvalidResponseError("the API answers success without any balance")
    return amounts


def read_status(body: bytes) -> int | str | None:
    """Return the status in a body, as far as there is one: an error's page may be anything."""
    try:
        return _status(_answer(body))
    except InvalidResponseError:
        return None


def _status(answer: Mapping[str, Any]) -> int | str | None:
    """Return the status, or what a gateway in between may answer in the form of the other calls."""
    status = fields.code(answer.get("status"))
    return fields.code(answer.get("code")) if status is None else status


def _amount(kind: str, value: object, currency: str) -> Money | None:
    if isinstance(value, str | None):
        try:
            return fields.money(value, currency)
        except fields.RejectedRecordError:
            pass
    raise InvalidResponseError(f"{kind} in the answer is no amount of money: {shortened(value)}")


def _answer(body: bytes) -> Mapping[str, Any]:
    try:
        answer = _loads(body)
    except (ValueError, RecursionError):
        started = shortened(body[:1000].decode("utf-8", "replace"))
        what = f"it begins with {started}" if body else "it is empty"
        raise InvalidResponseError(f"the answer to the balance is not JSON; {what}") from None
    if not isinstance(answer, dict):
        raise InvalidResponseError("the answer to the balance is JSON, but not an object")
    return answer


def _loads(body: bytes) -> Any:
    """Return JSON with every number as its text, so that no amount goes through a float."""
    as_text: dict[str, Any] = {"parse_float": str, "parse_int": str, "parse_constant": str}
    try:
        return json.loads(body, **as_text)
    except UnicodeDecodeError:
        return json.loads(body.decode("utf-8", "replace"), **as_text)
