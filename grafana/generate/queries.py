"""Queries as a panel asks them."""

from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from grafana.generate.variables import DATASOURCE

AIM = "aim"
"""The refId of what is aimed at; panels draw it as a dashed line."""


def over_time(expression: str, legend: str, ref: str = "A") -> Dataquery:
    """Ask for a line over the dashboard's time range."""
    return _query(expression, legend, ref).range().format(PromQueryFormat.TIME_SERIES)


def now(expression: str, legend: str, ref: str = "A") -> Dataquery:
    """Ask for the value at the range's end: what has gone stale shows no old value as today's."""
    return _query(expression, legend, ref).instant().format(PromQueryFormat.TIME_SERIES)


def rows(expression: str, ref: str) -> Dataquery:
    """Ask for the values at the range's end as rows of a table, one column a label."""
    return _query(expression, "", ref).instant().format(PromQueryFormat.TABLE)


def _query(expression: str, legend: str, ref: str) -> Dataquery:
    query = Dataquery().expr(expression).ref_id(ref).datasource(DATASOURCE)
    query = query.editor_mode(QueryEditorMode.CODE)
    return query.legend_format(legend) if legend else query
