"""The catalogue holds what the contract promises, name by name and label by label."""

import re
from collections.abc import Iterator

import pytest

from exporter.api.errors import REASONS
from exporter.exposition.families import CATALOGUE
from exporter.exposition.telemetry import Telemetry

COMMON = ("account", "app", "script_id")
WINDOW = (*COMMON, "window")
TASK = ("account", "app", "task_id")
PROMISED: dict[str, tuple[str, tuple[str, ...]]] = {
    "itnio_voice_window_tasks": ("gauge", (*WINDOW, "status")),
    **{
        f"itnio_voice_window_{name}": ("gauge", WINDOW)
        for name in (
            "numbers",
            "calls",
            "answered_calls",
            "successful_calls",
            "failed_calls",
            "sms_sent",
            "answer_ratio",
            "failure_ratio",
            "average_call_duration_seconds",
            "billed_seconds",
            "agent_billed_seconds",
        )
    },
    "itnio_voice_window_spend": ("gauge", (*WINDOW, "kind", "currency")),
    "itnio_voice_window_spend_unreconciled": ("gauge", (*WINDOW, "currency")),
    **{
        f"itnio_voice_{name}_total": ("counter", COMMON)
        for name in (
            "calls",
            "answered_calls",
            "successful_calls",
            "failed_calls",
            "billed_seconds",
            "agent_billed_seconds",
            "sms_sent",
        )
    },
    "itnio_voice_spend_total": ("counter", (*COMMON, "kind", "currency")),
    "itnio_voice_task_transitions_total": ("counter", (*COMMON, "status")),
    "itnio_voice_unfinished_tasks": ("gauge", (*COMMON, "status")),
    "itnio_voice_oldest_unfinished_task_age_seconds": ("gauge", (*COMMON, "status")),
    "itnio_voice_oldest_stalled_task_seconds": ("gauge", COMMON),
    "itnio_voice_task_info": ("info", (*TASK, "task_name", "script_id", "status")),
    "itnio_voice_task_progress_ratio": ("gauge", TASK),
    "itnio_voice_task_answer_ratio": ("gauge", TASK),
    "itnio_voice_task_average_call_duration_seconds": ("gauge", TASK),
    "itnio_voice_task_failed_calls": ("gauge", TASK),
    "itnio_voice_task_spend": ("gauge", (*TASK, "currency")),
    "itnio_voice_objective_answer_ratio": ("gauge", ("account", "app")),
    "itnio_voice_objective_failure_ratio": ("gauge", ("account", "app")),
    "itnio_voice_objective_average_call_duration_seconds": ("gauge", ("account", "app")),
    "itnio_voice_objective_daily_spend": ("gauge", ("account", "app", "currency")),
    "itnio_voice_objective_minimum_balance": ("gauge", ("account", "app", "currency")),
    "itnio_account_balance": ("gauge", ("account", "kind", "currency")),
    "itnio_exporter_balance_failures_total": ("counter", ("account", "reason")),
    "itnio_up": ("gauge", ("account",)),
    "itnio_exporter_last_success_timestamp_seconds": ("gauge", ("account",)),
    "itnio_exporter_sweep_progress_ratio": ("gauge", ("account",)),
    "itnio_exporter_poll_duration_seconds": ("histogram", ("account",)),
    "itnio_exporter_polls_total": ("counter", ("account",)),
    "itnio_exporter_poll_failures_total": ("counter", ("account", "reason")),
    "itnio_exporter_api_requests_total": ("counter", ("account", "code")),
    "itnio_exporter_api_request_duration_seconds": ("histogram", ("account",)),
    "itnio_exporter_clock_skew_seconds": ("gauge", ("account",)),
    "itnio_exporter_tracked_tasks": ("gauge", ("account",)),
    "itnio_exporter_rejected_records_total": ("counter", ("account", "reason")),
    "itnio_exporter_corrections_total": ("counter", ("account",)),
    "itnio_exporter_future_tasks": ("gauge", ("account",)),
    "itnio_exporter_overflowed_scripts": ("gauge", ("account",)),
    "itnio_exporter_config_last_reload_successful": ("gauge", ()),
    "itnio_exporter_config_last_reload_success_timestamp_seconds": ("gauge", ()),
    "itnio_exporter_build_info": ("info", ("version", "python_version")),
}

# Every documented field that a figure comes from, as the vendor spells it.
FIELDS = {
    "status",
    "numCnt",
    "callNum",
    "answeredNum",
    "success",
    "fail",
    "sendSmsNum",
    "chargeLen",
    "agentTotalFeetime",
    "agentFee",
    "groupCallPayFee",
    "smsPayFee",
    "taskSumPayFee",
    "createdTime",
    "taskName",
    "rate",
}


def exposed() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Name, kind, labels and help of every family there is."""
    for each in CATALOGUE:
        yield each.name, each.kind, ("account", *each.labels), each.help
    telemetry = Telemetry("1", ("reason",))
    account = telemetry.account("a")
    account.rejected(("figure",))
    account.balance_watched()
    for metric in telemetry.registry.collect():
        suffix = {"counter": "_total", "info": "_info"}.get(metric.type, "")
        labels = tuple(label for label in metric.samples[0].labels if label != "le")
        yield metric.name + suffix, metric.type, labels, metric.documentation


@pytest.mark.parametrize("name", PROMISED)
def test_what_is_promised_is_there(name: str) -> None:
    found = {each: (kind, labels) for each, kind, labels, _ in exposed()}
    kind, labels = found[name]
    assert (kind, set(labels)) == (PROMISED[name][0], set(PROMISED[name][1]))


def test_the_standard_metrics_are_there() -> None:
    names = {name for name, *_ in exposed()}
    assert {"process_cpu_seconds_total", "process_open_fds", "python_info"} <= names


def test_every_reason_is_there() -> None:
    promised = (
        "authentication ip_restricted clock_skew system parameter rate_limited http timeout "
        "connection invalid_response incomplete deadline unknown_code internal"
    )
    assert sorted(REASONS) == sorted(promised.split())


def test_no_name_is_there_twice() -> None:
    names = [name for name, *_ in exposed()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_help_is_a_sentence_that_says_how_fresh_it_is(family: object) -> None:
    text = getattr(family, "help")  # noqa: B009
    assert re.fullmatch(r"[A-Z0-9].*\.", text)
    name = getattr(family, "name")  # noqa: B009
    if name.startswith("itnio_voice_window_"):
        assert "last whole poll" in text


def test_help_names_the_fields_that_figures_come_from() -> None:
    named = " ".join(text for _, _, _, text in exposed())
    assert {field for field in FIELDS if re.search(rf"\b{field}\b", named)} == FIELDS
    for name, _, _, text in exposed():
        of_figures = name.startswith("itnio_voice_") and "objective" not in name
        if of_figures and not name.endswith("info"):
            words = set(re.findall(r"\w+", text))
            assert words & FIELDS, name
