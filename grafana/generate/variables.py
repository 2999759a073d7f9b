"""What a reader chooses at the top of a dashboard."""

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableHide,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Whatever is chosen: no dashboard knows the uid of a data source."""


def _all() -> VariableOption:
    return VariableOption(selected=True, text=["All"], value=["$__all"])


def _choice(name: str, label: str, description: str, series: str, of: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(DATASOURCE)
        .query(
            {
                "qryType": 1,  # label values, in the numbering of Grafana's query editor
                "query": f"label_values({series},{of})",
                "refId": "PrometheusVariableQueryEditor-VariableQuery",
            }
        )
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .allow_custom_value(False)
        .sort(VariableSort.NATURAL_ASC)
    )


def _several(variable: QueryVariable) -> QueryVariable:
    """Let several be chosen, or all; all includes series that lack the label."""
    return variable.multi(True).include_all(True).all_value(".*").current(_all())


def variables(*, hidden: frozenset[str] = frozenset()) -> list[VariableModel]:
    """Return all five; those that a dashboard does not ask for are hidden, to be handed on."""
    built = [
        DatasourceVariable("datasource")
        .label("Data source")
        .description("The Prometheus that scrapes the exporter.")
        .type("prometheus")
        .build(),
        _several(
            _choice(
                "account",
                "Account",
                "Accounts of the exporter's configuration.",
                "itnio_exporter_polls_total",
                "account",
            )
        ).build(),
        _several(
            _choice(
                "app",
                "App",
                "Apps of the chosen accounts; none where an account lists no apps.",
                'itnio_voice_window_tasks{account=~"$account"}',
                "app",
            )
        ).build(),
        _several(
            _choice(
                "script",
                "Script",
                "AI Agent scripts (scriptId) of the chosen apps.",
                'itnio_voice_window_tasks{account=~"$account", app=~"$app"}',
                "script_id",
            )
        ).build(),
        _choice(
            "window",
            "Window",
            "How far back a task may have been created to be counted; poll.windows in config.yaml.",
            'itnio_voice_window_tasks{account=~"$account"}',
            "window",
        )
        .current(VariableOption(selected=True, text="24h", value="24h"))
        .build(),
    ]
    for variable in built:
        # Of interval variables, and not in Grafana's published type of the others.
        variable.auto = variable.auto_min = variable.auto_count = None
        if variable.name in hidden:
            variable.hide = VariableHide.HIDE_VARIABLE
    return built
