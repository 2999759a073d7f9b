"""`itnio-exporter tasks`."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from exporter import logs
from exporter.api.errors import ApiError
from exporter.app import stop_signals
from exporter.commands.loading import loaded
from exporter.commands.options import HELP, Duration, with_config_file
from exporter.commands.running import configure_logs, run_to_end
from exporter.config import Account, Config, format_duration
from exporter.config.kinds import STATUSES
from exporter.listing.reading import ListedTask, Listing, Wanted, newest_of_all, selections
from exporter.terminal.records import write_csv, write_json
from exporter.terminal.screen import plain, screen
from exporter.terminal.tasks import show_table, task_table

_MOST: Final = 10_000
_FRAME: Final = 4
"""Lines of the screen around a table that is watched."""


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
    asked = _Asked(back, limit, app, tuple(STATUSES[name] for name in statuses), search)
    chosen = _chosen(config, account, asked)
    configure_logs("error", "logfmt")
    for each in chosen:
        logs.mask(each.api_key, each.api_secret)
    zone = UTC if utc else None
    if watch is not None:
        run_to_end(_watch(config, chosen, asked, max(watch, 1.0), zone))
    else:
        run_to_end(_show(config, chosen, asked, output, zone))


class _Asked:
    """What was asked for on the command line; which moment that reaches back to, moves."""

    def __init__(
        self, back: float, limit: int, app: str, statuses: tuple[int, ...], search: str
    ) -> None:
        self.back = back
        self._rest = (limit, app, statuses, search)

    def wanted(self, now: float) -> Wanted:
        return Wanted(now - self.back, *self._rest)


def _chosen(config: Config, name: str | None, asked: _Asked) -> list[Account]:
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


async def _show(
    config: Config, chosen: Sequence[Account], asked: _Asked, output: str, zone: tzinfo | None
) -> bool:
    async with AsyncExitStack() as stack:
        listings = [await stack.enter_async_context(Listing(each, config)) for each in chosen]
        found, failed = await newest_of_all(listings, asked.wanted(time.time()))
    console = screen()
    match output:
        case "json":
            write_json(found, sys.stdout, zone)
        case "csv":
            write_csv(found, sys.stdout, zone)
        case _:
            if found or not failed:
                show_table(found, console, zone, since=format_duration(asked.back))
    sys.stdout.flush()
    errors = screen(sys.stderr)
    for line in _complaints(failed):
        errors.print(line, soft_wrap=True)
    return not failed


async def _watch(
    config: Config, chosen: Sequence[Account], asked: _Asked, every: float, zone: tzinfo | None
) -> bool:
    """Show the tasks in place until told to stop; whether the last look was whole."""
    console, told_to_stop = screen(), stop_signals()
    whole = True
    async with AsyncExitStack() as stack:
        listings = [await stack.enter_async_context(Listing(each, config)) for each in chosen]
        live = stack.enter_context(Live(console=console, auto_refresh=False, screen=True))
        while not told_to_stop.is_set():
            looking = asyncio.ensure_future(newest_of_all(listings, asked.wanted(time.time())))
            stopping = asyncio.ensure_future(told_to_stop.wait())
            await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not looking.done():
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
                break
            found, failed = await looking
            whole = not failed
            live.update(_frame(found, failed, console, every, zone), refresh=True)
            await asyncio.wait({stopping}, timeout=every)
            stopping.cancel()
    return whole


def _frame(
    found: Sequence[ListedTask],
    failed: dict[str, ApiError],
    console: Console,
    every: float,
    zone: tzinfo | None,
) -> Group:
    """Return what is on the screen: as many tasks as it has lines for."""
    complaints = _complaints(failed)
    room = max(1, console.height - _FRAME - len(complaints))
    now = datetime.now(zone).strftime("%H:%M:%S")
    left = f", {len(found) - room} more below" if len(found) > room else ""
    head = Text(
        f"{len(found)} tasks at {now}{left}, every {format_duration(every)}; Ctrl-C ends it",
        style="dim",
        no_wrap=True,
        overflow="ellipsis",
    )
    return Group(head, *complaints, task_table(found[:room], console.width, zone))


def _complaints(failed: dict[str, ApiError]) -> list[Text]:
    return [
        plain(f"{account}: {error}; {error.remedy}", "red") for account, error in failed.items()
    ]
