"""Columns of a table that is joined from several queries."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from grafana.generate.looks import prop


@dataclass(frozen=True, slots=True)
class Column:
    """A label of the series, or the value of one query (`Value #REF`), and how it is shown."""

    source: str
    title: str
    unit: str = "string"
    decimals: int | None = None
    width: int | None = None
    link: tuple[str, str] | None = None
    """Title and address of where the cell leads."""
    more: Sequence[DynamicConfigValue] = field(default=())

    def overrides(self) -> list[DynamicConfigValue]:
        """Return what differs from the table's own settings."""
        found = [prop("unit", self.unit)]
        if self.decimals is not None:
            found.append(prop("decimals", self.decimals))
        if self.width is not None:
            found.append(prop("custom.width", self.width))
        if self.link is not None:
            title, url = self.link
            found.append(prop("links", [{"title": title, "url": url, "targetBlank": False}]))
        return [*found, *self.more]


def value(ref: str) -> str:
    """Name the column of a query's values, as Prometheus' data source does."""
    return f"Value #{ref}"


def with_columns(panel: Table, columns: Sequence[Column]) -> Table:
    """Join the queries' rows, and show these columns, in this order, and no others."""
    panel = panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(
        DataTransformerConfig(
            id_val="filterFieldsByName",
            options={"include": {"names": [column.source for column in columns]}},
        )
    )
    panel = panel.with_transformation(
        DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {},
                "includeByName": {},
                "indexByName": {column.source: index for index, column in enumerate(columns)},
                "renameByName": {column.source: column.title for column in columns},
            },
        )
    )
    for column in columns:
        panel = panel.override_by_name(column.title, column.overrides())
    return panel
