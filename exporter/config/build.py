"""From values to the model: what must hold between keys, and defaults that follow other keys."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from exporter.config.durations import format_duration
from exporter.config.model import Account, App, Config, Metrics, Objectives, Poll, Window
from exporter.config.reading import Place, Report, Value, Values
from exporter.config.secret import Secret
from exporter.config.secret_file import SecretFileError, is_world_readable, read_secret_file
from exporter.config.urls import is_exposed
from exporter.config.zones import is_inverted

# What the default deadline leaves of an interval, and how many polls the default staleness allows.
_DEADLINE_SHARE: Final = 5 / 6
_STALE_POLLS: Final = 3


def build_config(values: Values, report: Report, folder: Path) -> Config | None:
    """Return the model; None where something is missing. What is wrong is in the report."""
    poll = _poll(values["poll"].value, report) if "poll" in values.found else None
    accounts: list[Account | None] = []
    if "accounts" in values.found:
        read = values["accounts"]
        if not read.value:
            report.problem(read.place, "is an empty list; write at least one account")
        accounts = [_account(item.value, report, folder) for item in read.value]
        _refuse_repeated(
            (item.value.found.get("name") for item in read.value), "account name", report
        )
        _warn_shared_keys([item.value for item in read.value], report)
    if not values.complete or poll is None:
        return None
    metrics = values["metrics"].value
    return Config(
        poll=poll,
        metrics=Metrics(**_plain(metrics)),
        accounts=tuple(account for account in accounts if account is not None),
        warnings=tuple(sorted(report.warnings, key=lambda warning: warning.line)),
    )


def _plain(values: Values) -> dict[str, Any]:
    return {name: found.value for name, found in values.found.items()}


def _poll(values: Values, report: Report) -> Poll | None:
    interval = values.get("interval")
    deadline, timeout = values.get("deadline"), values.get("timeout")
    stale_after, lookback = values.get("stale_after"), values.get("lookback")
    if interval is not None:
        if deadline is not None and not values.given("deadline"):
            deadline = min(deadline, interval * _DEADLINE_SHARE)
        if stale_after is not None and not values.given("stale_after"):
            stale_after = max(stale_after, interval * _STALE_POLLS)
        _at_most(values, "deadline", deadline, ("interval", interval), report)
        if stale_after is not None and stale_after <= interval:
            report.warning(
                values.where("stale_after"),
                "is not longer than poll.interval, so window gauges come and go; "
                "make it a few intervals",
            )
        if lookback is not None and lookback < interval:
            report.warning(
                values.where("lookback"),
                "is shorter than poll.interval, so tasks between two polls are missed; "
                "make it longer",
            )
    if deadline is not None:
        if timeout is not None and not values.given("timeout"):
            timeout = min(timeout, deadline)
        _at_most(values, "timeout", timeout, ("deadline", deadline), report)
    windows = _windows(values, report)
    if not values.complete:
        return None
    adapted = {
        "deadline": deadline,
        "timeout": timeout,
        "stale_after": stale_after,
        "windows": windows,
    }
    return Poll(**_plain(values) | adapted)


def _at_most(
    values: Values, name: str, value: float | None, limit: tuple[str, float], report: Report
) -> None:
    limit_name, most = limit
    if value is not None and value > most:
        default = "" if values.given(limit_name) else "which is by default "
        report.problem(
            values.where(name),
            f"is longer than poll.{limit_name} ({default}{format_duration(most)}); "
            f"make it at most that, or poll.{limit_name} longer",
        )


def _windows(values: Values, report: Report) -> tuple[Window, ...]:
    if "windows" not in values.found or "lookback" not in values.found:
        return ()
    lookback, read = values["lookback"], values["windows"]
    items: tuple[Value, ...] = read.value
    if not read.given:
        fitting = tuple(item.value for item in items if item.value.seconds <= lookback.value)
        return fitting or (Window(lookback.text, int(lookback.value)),)
    if not items:
        report.problem(read.place, "is an empty list; write a window or leave the key out")
    first: dict[int, Place] = {}
    for item in items:
        if item.value.seconds > lookback.value:
            report.problem(
                item.place,
                f"'{item.value.label}' is longer than poll.lookback "
                f"({lookback.text}); shorten it, or lengthen poll.lookback",
            )
        earlier = first.setdefault(item.value.seconds, item.place)
        if earlier is not item.place:
            report.problem(
                item.place,
                f"'{item.value.label}' is the same window as {earlier.key}; keep one",
            )
    return tuple(item.value for item in items)


def _account(values: Values, report: Report, folder: Path) -> Account | None:
    secret, secret_file = _secret(values, report, folder)
    apps: tuple[Value, ...] = values["apps"].value if "apps" in values.found else ()
    for key in ("id", "name"):
        _refuse_repeated((app.value.found.get(key) for app in apps), f"app {key}", report)
    if values.given("base_url") and is_exposed(values.get("base_url")):
        report.warning(
            values.where("base_url"),
            "sends key and figures over plain http to another host, where they can be read on "
            "the way; use https",
        )
    if "timezone" in values.found and not values.given("timezone"):
        report.warning(
            values.where("timezone"),
            f"is not given, and {values['timezone'].text} is assumed; "
            "write the zone of the API's local times",
        )
    if is_inverted(values["timezone"].text if "timezone" in values.found else ""):
        report.warning(
            values.where("timezone"),
            "has the opposite sign of an offset: Etc/GMT+8 is UTC-8; write an offset to be sure",
        )
    if "objectives" in values.found and not values.get("balance"):
        objectives: Values = values["objectives"].value
        if objectives.given("minimum_balance") and "balance" in values.found:
            report.problem(
                objectives.where("minimum_balance"),
                "needs the balance to be asked for; write balance: true under this account",
            )
    if not values.complete or secret is None:
        return None
    fields = _plain(values) | {
        "api_secret": secret,
        "api_secret_file": secret_file,
        "timezone_name": values["timezone"].text,
        "apps": tuple(_app(app.value) for app in apps),
        "objectives": Objectives(**_plain(values["objectives"].value)),
        # A status given by name and by code is one status.
        "statuses": tuple(dict.fromkeys(item.value for item in values["statuses"].value)),
    }
    return Account(**fields)


def _app(values: Values) -> App:
    fields = _plain(values) | {"objectives": Objectives(**_plain(values["objectives"].value))}
    return App(**fields)


def _secret(values: Values, report: Report, folder: Path) -> tuple[Secret | None, Path | None]:
    """Return the secret, and its file where it comes from one."""
    if "api_secret" not in values.found or "api_secret_file" not in values.found:
        return None, None
    in_place, named = values.get("api_secret"), values.get("api_secret_file")
    place = values.where("api_secret_file")
    if in_place is not None and named is not None:
        report.problem(place, "is given beside api_secret; keep one of them")
        return None, None
    if in_place is not None:
        return in_place, None
    if named is None:
        report.problem(
            values.where("api_secret"),
            "is missing; write api_secret: ${ITNIO_API_SECRET}, or api_secret_file: and a path",
        )
        return None, None
    path = (folder / named).absolute()
    try:
        secret = read_secret_file(path)
    except SecretFileError as error:
        report.problem(place, str(error))
        return None, None
    if is_world_readable(path):
        report.warning(place, "points to a file that every user may read; chmod o-r it")
    return secret, path


def _refuse_repeated(found: Iterable[Value | None], what: str, report: Report) -> None:
    first: dict[Any, Place] = {}
    for item in found:
        if item is None:
            continue
        earlier = first.setdefault(item.value, item.place)
        if earlier is not item.place:
            report.problem(
                item.place, f"is the same {what} as in line {earlier.line}; make them different"
            )


def _warn_shared_keys(accounts: list[Values], report: Report) -> None:
    first: dict[str, Place] = {}
    for account in accounts:
        key: Secret | None = account.get("api_key")
        if key is None:
            continue
        place = account.where("api_key")
        earlier = first.setdefault(key.reveal(), place)
        if earlier is not place:
            report.warning(
                place,
                f"is the same as {earlier.key}, so tasks may be counted under both accounts; "
                "remove one of them unless their apps differ",
            )
