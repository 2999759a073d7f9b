"""`itnio-exporter run`."""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import click
import structlog

from exporter import logs
from exporter.app import App
from exporter.commands.loading import usable
from exporter.commands.options import (
    HELP,
    with_config_file,
    with_listen_address,
    with_log_options,
    with_telemetry_path,
    with_web_config_file,
)
from exporter.commands.running import configure_logs, run_to_end
from exporter.config import Secret, both, load
from exporter.storage import Database
from exporter.web.access.access import Access
from exporter.web.options import Address, WebOptions

_URL: Final = "write postgresql://USER:PASSWORD@HOST:PORT/NAME, with what is odd in it %-escaped"

log = structlog.get_logger("run")


@click.command(context_settings=HELP)
@with_config_file
@with_listen_address(":10911")
@with_telemetry_path
@with_web_config_file
@click.option("--web.enable-lifecycle", "lifecycle", is_flag=True, help="Allow POST /-/reload.")
@click.option(
    "--storage.path",
    "storage_path",
    default="data",
    show_default=True,
    help="Folder in which the counters are kept; empty: in memory only.",
)
@click.option(
    "--storage.url",
    "storage_url",
    envvar="ITNIO_STORAGE_URL",
    show_envvar=True,
    default="",
    help="A PostgreSQL that replicas share, instead of a folder: postgresql://USER@HOST/NAME. Each "
    "account is polled by one of them.",
)
@with_log_options("info")
def run(
    *,
    config_file: Path,
    addresses: Sequence[Address],
    telemetry_path: str,
    web_config_file: str,
    lifecycle: bool,
    storage_path: str,
    storage_url: str,
    log_level: str,
    log_format: str,
) -> None:
    """Poll the configured accounts and serve their metrics."""
    configure_logs(log_level, log_format)
    options = WebOptions(tuple(addresses), telemetry_path, lifecycle)
    web_config = Path(web_config_file) if web_config_file else None
    config, access = usable(
        lambda: both(lambda: load(config_file, os.environ), lambda: Access(web_config))
    )
    state = _database(storage_url) if storage_url else Path(storage_path) if storage_path else None
    if state is None:
        log.warning("counters are kept in memory only: they begin at 0 at every start")

    async def work() -> None:
        app = App(config, lambda: load(config_file, os.environ), options, state, access=access)
        await app.run(lambda _: None)

    run_to_end(work())


def _database(url: str) -> Database:
    """Return the database of a URL, whose password is masked in the log from now on."""
    if importlib.util.find_spec("asyncpg") is None:
        raise click.UsageError(
            "--storage.url needs what `pip install 'itnio-exporter[postgres]'` brings"
        )
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        raise click.UsageError(f"--storage.url is no URL; {_URL}") from None
    if parts.scheme not in {"postgresql", "postgres"} or not parts.hostname or not parts.path[1:]:
        raise click.UsageError(f"--storage.url is no URL of a PostgreSQL; {_URL}")
    if password:
        logs.mask(Secret(password), Secret(unquote(password)))
    return Database(url)
