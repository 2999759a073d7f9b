"""`itnio-exporter demo`."""

from collections.abc import Sequence

import click

from exporter import demo as demonstration
from exporter.commands.options import (
    HELP,
    with_listen_address,
    with_log_options,
    with_telemetry_path,
)
from exporter.commands.running import configure_logs, run_to_end
from exporter.web.options import Address, WebOptions


@click.command(context_settings=HELP)
@with_listen_address("127.0.0.1:10911")
@with_telemetry_path
@click.option("--seed", type=int, default=1, show_default=True, help="Which world to simulate.")
@with_log_options("warning")
def demo(
    *,
    addresses: Sequence[Address],
    telemetry_path: str,
    seed: int,
    log_level: str,
    log_format: str,
) -> None:
    """Simulate an account on loopback and run the exporter over it; nothing to configure."""
    configure_logs(log_level, log_format)
    options = WebOptions(tuple(addresses), telemetry_path)

    def started(urls: Sequence[str], api: str) -> None:
        for url in urls:
            click.echo(f"status page   {url}/")
            click.echo(f"metrics       {url}{telemetry_path}")
        click.echo(f"simulated API {api}")
        click.echo("Press Ctrl-C to stop.")

    run_to_end(demonstration.run(demonstration.world_of(seed), options, started))
