"""The kinds of panels, each looking the same wherever it is used.

Ids are given by hand and stay with their panel: links to a single panel end in `viewPanel=ID`.
"""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.bargauge import Panel as BarGauge
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    TableSortByFieldState,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as StateTimeline
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeValueMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TableCellHeight,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)

from grafana.generate.looks import by_order, by_threshold, dashed, plain, steps
from grafana.generate.palette import SKY, VERMILION
from grafana.generate.queries import AIM
from grafana.generate.variables import DATASOURCE

NOTHING = "no data"
"""Shown where a query has no answer."""


def stat(
    number: int, title: str, description: str, unit: str, queries: Sequence[Dataquery]
) -> Stat:
    """Show one big figure a series, named where there are several; calm until told otherwise."""
    panel = Stat().id(number).title(title).description(description).datasource(DATASOURCE)
    for query in queries:
        panel = panel.with_target(query)
    return (
        panel.unit(unit)
        .no_value(NOTHING)
        .color_scheme(plain())
        .thresholds(steps(SKY))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .orientation(VizOrientation.AUTO)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
        .height(5)
        .span(4)
    )


def lines(
    number: int, title: str, description: str, unit: str, queries: Sequence[Dataquery]
) -> TimeSeries:
    """Draw lines over time; what is aimed at is dashed. Where data is missing there is a gap."""
    panel = TimeSeries().id(number).title(title).description(description).datasource(DATASOURCE)
    for query in queries:
        panel = panel.with_target(query)
    return (
        panel.unit(unit)
        .no_value(NOTHING)
        .color_scheme(by_order())
        .thresholds(steps(SKY))
        .line_width(2)
        .fill_opacity(0)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(False)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "min", "max"])
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .override_by_query(AIM, dashed(VERMILION))
        .height(9)
        .span(8)
    )


def stacked(panel: TimeSeries) -> TimeSeries:
    """Put a panel's lines on top of each other, so that the upper edge is their sum."""
    return (
        panel.stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
        .fill_opacity(60)
        .line_width(1)
        .min(0)
    )


def states(
    number: int, title: str, description: str, queries: Sequence[Dataquery]
) -> StateTimeline:
    """Draw a bar a series that changes its colour with its state; states are said in words."""
    panel = StateTimeline().id(number).title(title).description(description)
    panel = panel.datasource(DATASOURCE)
    for query in queries:
        panel = panel.with_target(query)
    return (
        panel.unit("none")
        .no_value(NOTHING)
        .color_scheme(by_threshold())
        .thresholds(steps(SKY))
        .show_value(VisibilityMode.AUTO)
        .row_height(0.8)
        .fill_opacity(80)
        .line_width(0)
        .merge_values(True)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.SINGLE).sort(SortOrder.NONE))
        .height(7)
        .span(24)
    )


def bars(
    number: int, title: str, description: str, unit: str, queries: Sequence[Dataquery]
) -> BarGauge:
    """Draw a horizontal bar a series, of the values at the range's end."""
    panel = BarGauge().id(number).title(title).description(description).datasource(DATASOURCE)
    for query in queries:
        panel = panel.with_target(query)
    return (
        panel.unit(unit)
        .no_value(NOTHING)
        .color_scheme(plain())
        .thresholds(steps(SKY))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .value_mode(BarGaugeValueMode.TEXT)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .show_unfilled(True)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
        .height(9)
        .span(8)
    )


def table(
    number: int, title: str, description: str, queries: Sequence[Dataquery], sort_by: str
) -> Table:
    """Show rows that are joined by the labels that all queries have in common."""
    panel = Table().id(number).title(title).description(description).datasource(DATASOURCE)
    for query in queries:
        panel = panel.with_target(query)
    return (
        panel.unit("short")
        .no_value(NOTHING)
        .color_scheme(plain())
        .thresholds(steps(SKY))
        .filterable(True)
        .show_header(True)
        .cell_height(TableCellHeight.SM)
        .sort_by([TableSortByFieldState().display_name(sort_by).desc(True)])
        .height(11)
        .span(24)
    )
