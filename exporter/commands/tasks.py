"""`itnio-exporter tasks`."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Final

import click

from exporter import logs
from exporter.app import stop_signals
from exporter.commands.loading import loaded
from exporter.commands.options import HELP, Duration, with_config_file
from exporter.commands.running import configure_logs, run_to_end
from exporter.config import Account, Config
from exporter.config.kinds import STATUSES
from exporter.listing.reading import selections
from exporter.terminal.view import Asked, View

_MOST: Final = 10_000
_MOST_OFTEN: Final = 1.0
"""Seconds."""


@click.command(context_settings=HELP)
@with_config_file
@click.option("--account", help="Only this account, by its name in the configuration.")
@click.option("--app", default="", help="Only this app, by its name or id.")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(list(STATUSES)),
    help="Only tasks with this status; may be repeated.",
)
@click.option("--search", default="", help="Only tasks that contain this in name or text.")
@click.option(
    "--since",
    type=Duration(),
    default=None,
    help="How far back to look; poll.lookback without it.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, _MOST),
    default=50,
    show_default=True,
    help="How many tasks to show, the newest ones.",
)
@click.option("--utc", is_flag=True, help="Times in UTC, not in this host's zone.")
@click.option(
    "--watch",
    type=Duration(),
    is_flag=False,
    flag_value="10s",
    default=None,
    metavar="[DURATION]",
    help="Show them again and again, every 10s or as given, until Ctrl-C.",
)
@click.option(
    "--output",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)
def tasks(
    *,
    config_file: Path,
    account: str | None,
    app: str,
    statuses: Sequence[str],
    search: str,
    since: float | None,
    limit: int,
    utc: bool,
    watch: float | None,
    output: str,
) -> None:
    """Show recent tasks, the newest first; 1 where an account could not be asked."""
    if watch is not None and output != "table":
        raise click.UsageError("--watch shows a table; leave --output out")
    config = loaded(config_file)
    back = config.poll.lookback if since is None else since
    asked = Asked(back, limit, app, tuple(STATUSES[name] for name in statuses), search)
    chosen = _chosen(config, account, asked)
    configure_logs("error", "logfmt")
    for each in chosen:
        logs.mask(each.api_key, each.api_secret)
    view = View(config, asked, UTC if utc else None)
    if watch is None:
        run_to_end(view.show(chosen, output))
    else:
        run_to_end(view.watch(chosen, max(watch, _MOST_OFTEN), stop_signals))


def _chosen(config: Config, name: str | None, asked: Asked) -> list[Account]:
    """Return the accounts that can have what is asked for; click's usage error for none."""
    accounts = [each for each in config.accounts if name in {None, each.name}]
    if not accounts:
        known = ", ".join(each.name for each in config.accounts)
        raise click.UsageError(f"--account: the configuration has no account {name!r}, but {known}")
    wanted = asked.wanted(0.0)
    chosen = [each for each in accounts if selections(each, wanted)]
    if not chosen:
        raise click.UsageError("no account has that app, or watches that status; see config.yaml")
    return chosen
