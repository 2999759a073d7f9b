"""`itnio-exporter run`."""

import os
from collections.abc import Sequence
from pathlib import Path

import click
import structlog

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
from exporter.config import both, load
from exporter.web.access.access import Access
from exporter.web.options import Address, WebOptions

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
@with_log_options("info")
def run(
    *,
    config_file: Path,
    addresses: Sequence[Address],
    telemetry_path: str,
    web_config_file: str,
    lifecycle: bool,
    storage_path: str,
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
    state = Path(storage_path) if storage_path else None
    if state is None:
        log.warning("counters are kept in memory only: they begin at 0 at every start")

    async def work() -> None:
        app = App(config, lambda: load(config_file, os.environ), options, state, access=access)
        await app.run(lambda _: None)

    run_to_end(work())
