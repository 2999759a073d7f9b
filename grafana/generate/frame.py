"""What all dashboards have in common: name, variables, links, annotations, layout."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from grafana.generate.palette import VERMILION
from grafana.generate.variables import DATASOURCE, variables

TAG = "itnio"


@dataclass(frozen=True, slots=True)
class Page:
    """A dashboard's address and name."""

    uid: str
    title: str
    tooltip: str

    def url(self, **selection: str) -> str:
        """Lead there with the time range and the choices kept, but for these variables."""
        kept = ("datasource", "account", "app", "script", "window")
        parts = ["${__url_time_range}"]
        parts += [f"${{{name}:queryparam}}" for name in kept if name not in selection]
        parts += [f"var-{name}={chosen}" for name, chosen in selection.items()]
        return f"/d/{self.uid}?{'&'.join(parts)}"


OVERVIEW = Page("itnio-overview", "ITNIO / Overview", "For everybody: quality, money, volume")
CAMPAIGNS = Page("itnio-campaigns", "ITNIO / Campaigns", "Task by task: progress, stalls, spend")
HEALTH = Page("itnio-exporter-health", "ITNIO / Exporter health", "Whether the figures are right")
PAGES = (OVERVIEW, CAMPAIGNS, HEALTH)


class _PrometheusAnnotation(models.AnnotationQuery):
    """An annotation from Prometheus: its wording stands in fields that only Prometheus reads."""

    def to_json(self) -> dict[str, object]:
        return {
            **super().to_json(),
            "titleFormat": "{{alertname}}",
            "textFormat": "{{account}} {{app}} {{script_id}}",
            "tagKeys": "severity,account,app",
        }


class _FiringAlerts(Builder[models.AnnotationQuery]):
    """Alerts of the chosen accounts, and those of no account, such as the exporter being down."""

    def build(self) -> models.AnnotationQuery:
        return _PrometheusAnnotation(
            name="Alerts",
            datasource=DATASOURCE,
            enable=True,
            hide=False,
            icon_color=VERMILION,
            expr=firing_alerts(),
        )


class _Variable(Builder[models.VariableModel]):
    def __init__(self, model: models.VariableModel) -> None:
        self._model = model

    def build(self) -> models.VariableModel:
        return self._model


def firing_alerts() -> str:
    """Select this project's firing alerts, whoever is their subject among what is chosen."""
    return 'ALERTS{alertname=~"Itnio.+", alertstate="firing", account=~"$account|"}'


@dataclass(frozen=True, slots=True)
class Section:
    """A row of a dashboard and what is under it."""

    title: str
    panels: Sequence[Builder[models.Panel]]


def dashboard(
    page: Page,
    description: str,
    since: str,
    sections: Sequence[Section],
    *,
    hidden: frozenset[str] = frozenset(),
) -> models.Dashboard:
    """Put a dashboard together."""
    built = (
        Dashboard(page.title)
        .uid(page.uid)
        .description(description)
        .tags([TAG])
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time(since, "now")
        .refresh("1m")
        .timezone("browser")
        .annotation(_FiringAlerts())
    )
    for variable in variables(hidden=hidden):
        built = built.with_variable(_Variable(variable))
    for other in PAGES:
        if other != page:
            built = built.link(_link(other))
    rows = 1000  # ids of rows are out of the way of the panels'
    for number, section in enumerate(sections):
        built = built.with_row(Row(section.title).id(rows + number))
        for panel in section.panels:
            built = built.with_panel(panel)
    return built.build()


def _link(page: Page) -> DashboardLink:
    return (
        DashboardLink(page.title.removeprefix("ITNIO / "))
        .type(models.DashboardLinkType.LINK)
        .icon("dashboard")
        .tooltip(page.tooltip)
        .url(f"/d/{page.uid}")
        .include_vars(True)
        .keep_time(True)
    )
