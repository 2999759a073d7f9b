"""What an inspection finds. Texts may quote the API: whoever shows them escapes them."""

import enum
from dataclasses import dataclass, field


class Level(enum.Enum):
    """How much a finding matters; only WRONG makes the check fail."""

    FINE = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy`` says what to do, where there is something."""

    level: Level
    topic: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another value for a key, as both would be written in the file, and why."""

    key: str
    now: str
    proposed: str
    why: str


@dataclass(slots=True)
class Inspection:
    """All that was found about one account, in the order in which it was looked at."""

    account: str
    base_url: str
    findings: list[Finding] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.level is not Level.WRONG for finding in self.findings)

    def add(self, level: Level, topic: str, text: str, remedy: str = "") -> None:
        """Note what was found."""
        self.findings.append(Finding(level, topic, text, remedy))
