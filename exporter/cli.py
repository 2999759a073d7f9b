"""Commands and flags; no logic.

Exit status: 0 fine, 1 a failure at run time, 2 bad usage or a bad configuration.
"""

import asyncio
import math
import os
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

import click
import stamina
import structlog

from exporter import __version__, logs
from exporter import demo as demonstration
from exporter.accounts import Accounts
from exporter.app import App, WebOptionError, WebOptions, announced, stop_signals
from exporter.config import Config, ConfigError, load
from exporter.simulator import ApiRules, ScaledClock, Settings, serve
from exporter.web.listening import Address, parse_address

_BAD_USAGE: Final = 2
_FAILED: Final = 1
# Of each command its own, too: click makes a help option once, by whoever asks for it first.
_HELP: Final = {"help_option_names": ["-h", "--help"]}

log = structlog.get_logger("cli")

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


class _ListenAddress(click.ParamType[Address]):
    name = "ADDRESS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        if isinstance(value, Address):
            return value
        try:
            return parse_address(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Positive(click.FloatRange):
    """A finite number above 0."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


def _listen_address(default: str) -> Decorator:
    return click.option(
        "--web.listen-address",
        "addresses",
        type=_ListenAddress(),
        multiple=True,
        default=[default],
        show_default=True,
        help="Where to listen: [HOST]:PORT; may be repeated.",
    )


_config_file: Final[Decorator] = click.option(
    "--config.file",
    "config_file",
    type=click.Path(path_type=Path),
    default="config.yaml",
    show_default=True,
    help="The configuration.",
)
_telemetry_path: Final[Decorator] = click.option(
    "--web.telemetry-path",
    "telemetry_path",
    default="/metrics",
    show_default=True,
    help="Path of the metrics.",
)


def _log_options(level: str) -> Decorator:
    def add(command: Callable[..., None]) -> Callable[..., None]:
        command = click.option(
            "--log.format",
            "log_format",
            type=click.Choice(logs.FORMATS),
            default="logfmt",
            show_default=True,
            help="How a line of the log is written.",
        )(command)
        return click.option(
            "--log.level",
            "log_level",
            type=click.Choice(sorted(logs.LEVELS)),
            default=level,
            show_default=True,
            help="The least severity that is logged.",
        )(command)

    return add


def _configure_logs(level: str, form: Any) -> None:
    logs.configure(level, form, sys.stderr)
    # What a retry was for is in the API's metrics; a line for each is noise.
    stamina.instrumentation.set_on_retry_hooks([])


def _loaded(config_file: Path) -> Config:
    try:
        return load(config_file, os.environ)
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(_BAD_USAGE) from None


def _run(work: Coroutine[Any, Any, bool | None]) -> None:
    """Run to the end; a failure that is not ours to mend is one sentence, not a traceback."""
    try:
        fine = asyncio.run(work)
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(_BAD_USAGE) from None
    except WebOptionError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        click.echo(f"itnio-exporter: {error}", err=True)
        raise SystemExit(_FAILED) from None
    except KeyboardInterrupt:
        raise SystemExit(_FAILED) from None
    if fine is False:
        raise SystemExit(_FAILED)


@click.group(context_settings=_HELP)
@click.version_option(__version__, prog_name="itnio-exporter")
def main() -> None:
    """Prometheus exporter for AI-agent outbound voice campaigns on the ITNIO voice API."""


@main.command(context_settings=_HELP)
@_config_file
@_listen_address(":10911")
@_telemetry_path
@click.option("--web.enable-lifecycle", "lifecycle", is_flag=True, help="Allow POST /-/reload.")
@click.option(
    "--storage.path",
    "storage_path",
    default="data",
    show_default=True,
    help="Folder in which the counters are kept; empty: in memory only.",
)
@_log_options("info")
def run(
    *,
    config_file: Path,
    addresses: Sequence[Address],
    telemetry_path: str,
    lifecycle: bool,
    storage_path: str,
    log_level: str,
    log_format: str,
) -> None:
    """Poll the configured accounts and serve their metrics."""
    _configure_logs(log_level, log_format)
    options = _web_options(addresses, telemetry_path, lifecycle=lifecycle)
    config = _loaded(config_file)
    state = Path(storage_path) if storage_path else None
    if state is None:
        log.warning("counters are kept in memory only: they begin at 0 at every start")

    async def work() -> None:
        app = App(config, lambda: load(config_file, os.environ), options, state)
        await app.run(lambda _: None)

    _run(work())


@main.command(context_settings=_HELP)
@_listen_address("127.0.0.1:10911")
@_telemetry_path
@click.option("--seed", type=int, default=1, show_default=True, help="Which world to simulate.")
@_log_options("warning")
def demo(
    *,
    addresses: Sequence[Address],
    telemetry_path: str,
    seed: int,
    log_level: str,
    log_format: str,
) -> None:
    """Simulate an account on loopback and run the exporter over it; nothing to configure."""
    _configure_logs(log_level, log_format)
    options = _web_options(addresses, telemetry_path, lifecycle=False)

    def started(urls: Sequence[str], api: str) -> None:
        for url in urls:
            click.echo(f"status page   {url}/")
            click.echo(f"metrics       {url}{telemetry_path}")
        click.echo(f"simulated API {api}")
        click.echo("Press Ctrl-C to stop.")

    _run(demonstration.run(Settings(seed=seed), options, started))


@main.command(context_settings=_HELP)
@_listen_address("127.0.0.1:10912")
@click.option("--seed", type=int, default=1, show_default=True, help="Which world to simulate.")
@click.option(
    "--tasks-per-day",
    type=_Positive(),
    default=Settings().tasks_per_day,
    show_default=True,
    help="Campaigns created on a working day.",
)
@click.option(
    "--speed",
    type=_Positive(),
    default=1.0,
    show_default=True,
    help="How many times as fast as real time the world goes.",
)
def simulate(addresses: Sequence[Address], seed: int, tasks_per_day: float, speed: float) -> None:
    """Serve only the simulated API, to point an exporter at."""
    if len(addresses) != 1:
        raise click.UsageError("simulate listens on one address")

    async def work() -> None:
        clock = ScaledClock(time.time, speed)
        settings = Settings(seed=seed, tasks_per_day=tasks_per_day)
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

    _run(work())


@main.command(context_settings=_HELP)
@_config_file
def check(config_file: Path) -> None:
    """Validate the configuration: every problem at once, each with its line."""
    config = _loaded(config_file)
    for warning in config.warnings:
        click.echo(f"warning: {warning}", err=True)
    names = ", ".join(account.name for account in config.accounts)
    click.echo(f"{config_file}: fine; accounts: {names}")


@main.command(context_settings=_HELP)
@_config_file
@_log_options("warning")
def once(*, config_file: Path, log_level: str, log_format: str) -> None:
    """Poll every account once and print the exposition; 1 where a poll was not whole."""
    _configure_logs(log_level, log_format)
    config = announced(_loaded(config_file))

    async def work() -> bool:
        accounts = Accounts(config)
        try:
            whole = await accounts.poll_once()
            sys.stdout.buffer.write(accounts.exposition.text(openmetrics=False))
            sys.stdout.buffer.flush()
        finally:
            await accounts.stop()
        return whole

    _run(work())


def _web_options(
    addresses: Sequence[Address], telemetry_path: str, *, lifecycle: bool
) -> WebOptions:
    return WebOptions(tuple(addresses), telemetry_path, lifecycle)
