"""`itnio-exporter check`."""

import os
from pathlib import Path

import click

from exporter.commands.loading import usable
from exporter.commands.options import HELP, Duration, with_config_file, with_web_config_file
from exporter.config import Config, both, load
from exporter.web.access.load import load as load_web_config
from exporter.web.access.model import WebConfig


@click.command(context_settings=HELP)
@with_config_file
@with_web_config_file
@click.option("--live", is_flag=True, help="Also try each account at the API.")
@click.option(
    "--live.wait",
    "wait",
    type=Duration(),
    default="0s",
    show_default=True,
    help="How long to wait for a new task, by which the zone is known for sure.",
)
def check(*, config_file: Path, web_config_file: str, live: bool, wait: float) -> None:
    """Validate the configuration: every problem at once, each with its line.

    With --live each account is tried, too: the way to the API, this host's clock, the credentials,
    the zone of the API's times, and what polling will cost. Exit status 1 where something is wrong.
    """
    if wait and not live:
        raise click.UsageError("--live.wait goes with --live")
    config, web_config = usable(
        lambda: both(
            lambda: load(config_file, os.environ),
            lambda: load_web_config(Path(web_config_file), {}) if web_config_file else WebConfig(),
        )
    )
    for warning in (*config.warnings, *web_config.warnings):
        click.echo(f"warning: {warning}", err=True)
    names = ", ".join(account.name for account in config.accounts)
    click.echo(f"{config_file}: fine; accounts: {names}")
    if web_config_file:
        encrypted = "TLS" if web_config.tls else "no TLS"
        click.echo(f"{web_config_file}: fine; {encrypted}; users: {len(web_config.users)}")
    if live:
        _try_each(config, wait)


def _try_each(config: Config, wait: float) -> None:
    """Try each account and show what is found."""
    # Whoever does not ask for it need not wait for the libraries that ask the API.
    from exporter import logs  # noqa: PLC0415
    from exporter.commands.running import configure_logs, run_to_end  # noqa: PLC0415
    from exporter.inspection.account import inspect_all  # noqa: PLC0415
    from exporter.terminal.inspections import show  # noqa: PLC0415
    from exporter.terminal.screen import screen  # noqa: PLC0415

    configure_logs("error", "logfmt")
    for account in config.accounts:
        logs.mask(account.api_key, account.api_secret)

    async def work() -> bool:
        inspections = await inspect_all(config, wait=wait)
        show(inspections, screen())
        return all(inspection.fine for inspection in inspections)

    run_to_end(work())
