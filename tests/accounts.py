"""Accounts over a simulated API, for tests that look at the whole way from record to exposition."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client.parser import text_string_to_metric_families

from exporter.accounts import Accounts
from exporter.config import Config, parse
from exporter.running import Clocks
from exporter.simulator import Simulator
from tests.virtual_time import VirtualTime

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def config_for(simulator: Simulator, poll: str = "", account: str = "") -> Config:
    """Return a configuration over a simulator; ``poll`` and ``account`` are lines of YAML."""
    key, secret = next(iter(simulator.api.rules.credentials.items()))
    lines = [
        "poll:",
        "  requests_per_second: 1000",
        *(f"  {line}" for line in poll.splitlines()),
        "accounts:",
        "  - name: production",
        f"    api_key: '{key}'",
        f"    api_secret: '{secret}'",
        f"    base_url: {simulator.url}",
        *(f"    {line}" for line in account.splitlines()),
    ]
    if "timezone" not in account:
        lines.append("    timezone: UTC")
    return parse("\n".join(lines), {})


@asynccontextmanager
async def polled(config: Config, time: VirtualTime) -> AsyncIterator[Accounts]:
    """Accounts that poll on virtual time, from the moment on that they are asked to."""
    accounts = Accounts(config, Clocks(time.now, time.monotonic, lambda: 0.0))
    try:
        yield accounts
    finally:
        await accounts.stop()


def samples(text: bytes) -> Samples:
    """Return the samples of an exposition in the text format, by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def value(text: bytes, name: str, **labels: str) -> float | None:
    """Return the one sample of a name whose labels include the given ones; None for none."""
    found = [
        value
        for (each, of), value in samples(text).items()
        if each == name and labels.items() <= dict(of).items()
    ]
    assert len(found) <= 1, f"{name}{labels} stands for {len(found)} samples"
    return found[0] if found else None
