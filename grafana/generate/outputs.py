"""Every file that is generated, as text; the same bytes for the same code."""

import json
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.generate import campaigns, health, overview
from grafana.generate.alerting import rules_text
from grafana.generate.rules import read_groups

ROOT: Final = Path(__file__).parents[2]

BUILDERS: Final = (overview.build, campaigns.build, health.build)


def dashboard_text(dashboard: Dashboard) -> str:
    """Return a dashboard as Grafana reads it from a file."""
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def dashboards() -> dict[str, str]:
    """Return each dashboard's file, named by its uid."""
    built = [build() for build in BUILDERS]
    return {f"grafana/dashboards/{each.uid}.json": dashboard_text(each) for each in built}


def outputs() -> dict[str, str]:
    """Return everything, by its path from the repository's root."""
    rules = rules_text(read_groups(ROOT / "prometheus" / "rules"))
    return {**dashboards(), "grafana/provisioning/alerting/rules.yml": rules}
