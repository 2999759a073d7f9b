"""`itnio-exporter backfill`."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import click
import structlog
from rich.console import Console

from exporter.app import announced
from exporter.backfill.lines import OWN_LABELS
from exporter.backfill.progress import BarProgress, LoggedProgress
from exporter.backfill.request import (
    LOOKED_BACK,
    Request,
    parse_labels,
    parse_moment,
    parse_step,
)
from exporter.backfill.spool import OtherArgumentsError, SpoolError
from exporter.backfill.work import STDOUT, Job, Outcome, part_of
from exporter.backfill.work import backfill as fill
from exporter.commands.loading import loaded
from exporter.commands.options import HELP, with_config_file, with_log_options
from exporter.commands.running import configure_logs, run_to_end
from exporter.config.durations import parse_duration

_AUTO: Final = "auto"

log = structlog.get_logger("backfill")
_Value = TypeVar("_Value")


@click.command(context_settings=HELP)
@with_config_file
@click.option(
    "--from",
    "begin",
    required=True,
    metavar="T",
    help="First moment: RFC 3339, a date, or relative to now, like -30d.",
)
@click.option(
    "--to",
    "end",
    default="now",
    show_default=True,
    metavar="T",
    help="Last moment: best when live scraping began.",
)
@click.option(
    "--step",
    default="5m",
    show_default=True,
    metavar="D",
    help="Time between two samples of a series: a Prometheus duration.",
)
@click.option(
    "--output",
    required=True,
    metavar="F",
    help="The file to write; - for standard output.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    help="Label of every series, as scraping gives it: job=itnio; may be repeated.",
)
@click.option(
    "--task-duration",
    "task_duration",
    default=_AUTO,
    show_default=True,
    metavar="D",
    help="How long a task calls; auto: as those do that are calling now.",
)
@with_log_options("info")
def backfill(
    *,
    config_file: Path,
    begin: str,
    end: str,
    step: str,
    output: str,
    labels: Sequence[str],
    task_duration: str,
    log_level: str,
    log_format: str,
) -> None:
    """Write the API's own history as OpenMetrics with timestamps, for promtool.

    What is interrupted goes on where it was when it is run again with the same arguments.
    """
    request = _request(begin, end, step, labels, task_duration)
    config = loaded(config_file)
    arguments = {
        "--from": begin,
        "--to": end,
        "--step": step,
        "--label": " ".join(labels),
        "--task-duration": task_duration,
    }
    console = Console(stderr=True)
    # First the bars, which make room for the lines of the log; then the log.
    with BarProgress(console) if console.is_terminal else LoggedProgress() as progress:
        configure_logs(log_level, log_format)
        announced(config)
        _warn(request)

        job = Job(config, request, arguments, output, progress)

        async def work() -> bool:
            return _told(await fill(job), output)

        try:
            run_to_end(work())
        except OtherArgumentsError as error:
            raise click.UsageError(str(error)) from None
        except SpoolError as error:
            click.echo(f"itnio-exporter: {error}", err=True)
            raise SystemExit(1) from None
        except SystemExit:
            if output != STDOUT and part_of(output).exists():
                click.echo(
                    f"Not finished: what has been read is kept in {part_of(output)}; run the same"
                    " again to go on.",
                    err=True,
                )
            raise


def _request(begin: str, end: str, step: str, labels: Sequence[str], task_duration: str) -> Request:
    """Return what is asked for; click's usage error where it cannot be meant."""
    now = time.time()
    try:
        duration = None if task_duration == _AUTO else parse_duration(task_duration)
    except ValueError:
        raise click.UsageError(
            f"--task-duration: {task_duration!r} is no duration; write one like 40m, or auto"
        ) from None
    request = Request(
        begin=_named("--from", lambda: parse_moment(begin, now)),
        end=_named("--to", lambda: parse_moment(end, now)),
        step=_named("--step", lambda: parse_step(step)),
        labels=_named("--label", lambda: parse_labels(labels, OWN_LABELS)),
        task_duration=duration,
    )
    if request.end > now:
        raise click.UsageError("--to lies in the future; write a time that has passed, or now")
    if request.begin >= request.end:
        raise click.UsageError("--from must be before --to")
    return request


def _named(flag: str, parse: Callable[[], _Value]) -> _Value:
    try:
        return parse()
    except ValueError as error:
        raise click.UsageError(f"{flag}: {error}") from None


def _warn(request: Request) -> None:
    if request.step > LOOKED_BACK:
        log.warning(
            "Prometheus looks back 5 minutes for a sample: with a wider step, graphs have gaps",
            step=f"{request.step}s",
        )


def _told(outcome: Outcome, output: str) -> bool:
    """Say what came of it; return whether all accounts are in the output."""
    if not outcome.failed:
        log.info("written", output=output)
        return True
    names = ", ".join(outcome.failed)
    others = "the output has the others" if outcome.written else "nothing is written"
    for name, error in outcome.failed.items():
        click.echo(f"itnio-exporter: {name}: {error}. {error.remedy}", err=True)
    click.echo(f"itnio-exporter: without {names}; {others}", err=True)
    return False
