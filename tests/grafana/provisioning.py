"""What Grafana is provisioned with, as these tests and the integration tests read it."""

from typing import Any

import yaml

from tests.grafana.dashboards import ROOT


def provisioned(name: str) -> Any:
    return yaml.safe_load((ROOT / "grafana" / "provisioning" / name).read_text())


def rules() -> dict[str, dict[str, Any]]:
    """Grafana's own alerting rules, by uid."""
    return {
        rule["uid"]: rule
        for group in provisioned("alerting/rules.yml")["groups"]
        for rule in group["rules"]
    }
