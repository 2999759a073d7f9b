"""How values look: thresholds, words for values, properties that override a panel's own."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from grafana.generate.palette import SKY


def steps(first: str, *above: tuple[float, str]) -> ThresholdsConfig:
    """Colour by value: `first` below all, then each colour from its value on."""
    values = [Threshold(value=None, color=first)]
    values += [Threshold(value=value, color=color) for value, color in above]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(values)


def by_threshold() -> FieldColor:
    """Take the colour from the thresholds."""
    return FieldColor().mode(FieldColorModeId.THRESHOLDS)


def by_order() -> FieldColor:
    """Give each series of a panel a colour of its own; by name, two could come to have the same."""
    return FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC)


def plain() -> FieldColor:
    """One calm colour, where the value is neither good nor bad."""
    return FieldColor().mode(FieldColorModeId.FIXED).fixed_color(SKY)


def words(values: Mapping[int, tuple[str, str]]) -> ValueMap:
    """Say a value in a word and a colour."""
    return ValueMap(
        options={
            str(value): ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(values.items())
        }
    )


def prop(name: str, value: object) -> DynamicConfigValue:
    """Build one property of an override."""
    return DynamicConfigValue(id_val=name, value=value)


def fixed(color: str) -> DynamicConfigValue:
    """Build the override that gives a series its colour."""
    return prop("color", {"mode": FieldColorModeId.FIXED.value, "fixedColor": color})


def dashed(color: str) -> list[DynamicConfigValue]:
    """Build the overrides that make a series a dashed line without a fill."""
    return [
        fixed(color),
        prop("custom.lineStyle", {"fill": "dash", "dash": [10, 10]}),
        prop("custom.lineWidth", 2),
        prop("custom.fillOpacity", 0),
        prop("custom.stacking", {"mode": "none", "group": "A"}),
    ]
