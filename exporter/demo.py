"""A simulated account and the exporter over it, in one process: nothing to configure."""

from collections.abc import Callable, Sequence
from typing import Final

from exporter.app import App
from exporter.config import Config, parse
from exporter.simulator import ApiRules, Settings, Simulator, serve
from exporter.web.options import WebOptions

_CONFIG: Final = """
poll: {{interval: 10s, requests_per_second: 50, windows: [1h, 6h, 24h]}}
accounts:
  - name: demo
    api_key: "{key}"
    api_secret: "{secret}"
    base_url: {url}
    timezone: {timezone}
    currency: {currency}
    apps: [{apps}]
    objectives: {{answer_ratio: 0.3, failure_ratio: 0.2, average_call_duration: 20s,
                 daily_spend: 900}}
"""


def config_for(simulator: Simulator, settings: Settings) -> Config:
    """Return a configuration that polls a simulated account."""
    key, secret = next(iter(simulator.api.rules.credentials.items()))
    apps = ", ".join(f"{{id: {app.id}, name: {app.name}}}" for app in settings.apps)
    text = _CONFIG.format(
        key=key,
        secret=secret,
        url=simulator.url,
        timezone=settings.timezone,
        currency=settings.currency,
        apps=apps,
    )
    return parse(text, {})


async def run(
    settings: Settings, options: WebOptions, started: Callable[[Sequence[str], str], None]
) -> None:
    """Serve the demo until it is told to stop; ``started`` is told its URLs and the API's."""
    async with await serve(settings, rules=ApiRules()) as simulator:
        config = config_for(simulator, settings)
        app = App(config, lambda: config, options)
        await app.run(lambda urls: started(urls, simulator.url))
