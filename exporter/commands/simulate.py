"""`itnio-exporter simulate`."""

import time
from collections.abc import Sequence

import click

from exporter.app import stop_signals
from exporter.commands.options import HELP, Positive, with_listen_address
from exporter.commands.running import run_to_end
from exporter.simulator import ApiRules, ScaledClock, Settings, serve
from exporter.web.options import Address


@click.command(context_settings=HELP)
@with_listen_address("127.0.0.1:10912")
@click.option("--seed", type=int, default=1, show_default=True, help="Which world to simulate.")
@click.option(
    "--tasks-per-day",
    type=Positive(),
    default=Settings().tasks_per_day,
    show_default=True,
    help="Campaigns created on a working day.",
)
@click.option(
    "--speed",
    type=Positive(),
    default=1.0,
    show_default=True,
    help="How many times as fast as real time the world goes.",
)
@click.option(
    "--timezone",
    default=Settings().timezone,
    show_default=True,
    help="Zone of the account: IANA name or UTC offset. By night there are few campaigns.",
)
def simulate(
    addresses: Sequence[Address], seed: int, tasks_per_day: float, speed: float, timezone: str
) -> None:
    """Serve only the simulated API, to point an exporter at."""
    if len(addresses) != 1:
        raise click.UsageError("simulate listens on one address")
    try:
        settings = Settings(seed=seed, tasks_per_day=tasks_per_day, timezone=timezone)
    except (ValueError, LookupError, OSError):  # what zoneinfo makes of names that are none
        raise click.BadParameter(
            f"{timezone!r} is no IANA name (Asia/Shanghai) and no UTC offset (+08:00)",
            param_hint="--timezone",
        ) from None

    async def work() -> None:
        clock = ScaledClock(time.time, speed)
        address = addresses[0]
        simulator = await serve(
            settings,
            address.host or "0.0.0.0",  # noqa: S104  # asked for
            address.port,
            clock=clock,
            rules=ApiRules(),
        )
        key, secret = next(iter(simulator.api.rules.credentials.items()))
        click.echo(f"base_url: {simulator.url}")
        click.echo(f"api_key: {key}\napi_secret: {secret}")
        click.echo(f"timezone: {settings.timezone}\ncurrency: {settings.currency}")
        await stop_signals().wait()
        await simulator.close()

    run_to_end(work())
