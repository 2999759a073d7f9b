"""Colours that people with colour-blindness can tell apart (Okabe and Ito's set).

Good and bad are blue and vermilion, never green and red; what they say is also said in words.
"""

from typing import Final

SKY: Final = "#56B4E9"
BLUE: Final = "#3D8FD1"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8E8E8E"

GOOD: Final = BLUE
WARNING: Final = ORANGE
BAD: Final = VERMILION

STATUSES: Final = {
    "waiting": YELLOW,
    "calling": SKY,
    "finished": GREEN,
    "submission_failed": VERMILION,
    "cancelled": GREY,
    "suspended": ORANGE,
    "submitting": PURPLE,
    "unknown": "#FFFFFF",
}
"""A task's status as label value, and its colour in every panel."""

KINDS: Final = {"agent": SKY, "call": ORANGE, "sms": PURPLE}
"""What a fee is for as label value, and its colour in every panel."""
