"""What scrapers of all replicas see, and what it says of the fleet."""

import asyncio
import contextlib
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import aiohttp

_LINE = re.compile(
    r"^(itnio_exporter_account_owned|itnio_voice_\w+_total)\{(.*)\} (\S+)$", re.MULTILINE
)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_NEVER = -1.0
_KINDS = ("calls", "answered_calls", "successful_calls", "failed_calls", "billed_seconds")
COUNTED = (*_KINDS, "agent_billed_seconds", "sms_sent")
PATIENCE = 90.0
"""Seconds: a replica that is stopped answers when it wakes, and that is the answer to look at."""


@dataclass
class Sight:
    """One account as it is seen across replicas. Times are monotonic."""

    owned_at: float
    """When a scrape that showed an owner ended."""
    longest_unowned: float = 0.0
    seen: list[tuple[str, float, float]] = field(default_factory=list)
    """The last scrapes that showed an owner: replica, begun, ended."""


@dataclass
class Watch:
    """Scrapes whatever is there, and remembers what may not be."""

    faults: list[str] = field(default_factory=list)
    scrapes: int = 0
    highest: dict[str, float] = field(default_factory=dict)
    """The most that any scrape showed of each series of a counter."""
    sights: dict[str, Sight] = field(default_factory=dict)
    judging: bool = False
    moment: float = 4.0
    """Seconds within which no account goes to another replica and comes back."""
    store_up: dict[str, float] = field(default_factory=dict)

    async def follow(self, replica: str, url: str, every: float) -> None:
        """Scrape one replica until cancelled."""
        async with aiohttp.ClientSession() as client:
            while True:
                begun = time.monotonic()
                floor = dict(self.highest)
                try:
                    timeout = aiohttp.ClientTimeout(total=PATIENCE)
                    async with client.get(url, timeout=timeout) as answer:
                        text = await answer.text()
                        ok = answer.status == 200
                except (aiohttp.ClientError, OSError, TimeoutError):
                    ok = False
                if ok:
                    self.take(replica, text, floor, begun, time.monotonic())
                await asyncio.sleep(max(0.2, every - (time.monotonic() - begun)))

    async def follow_owner(self, url: str, every: float) -> None:
        """Ask one replica only what it owns, until cancelled: between two scrapes much can be."""
        async with aiohttp.ClientSession() as client:
            while True:
                begun = time.monotonic()
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    timeout = aiohttp.ClientTimeout(total=PATIENCE)
                    asked = {"name[]": "itnio_exporter_account_owned"}
                    async with client.get(url, params=asked, timeout=timeout) as answer:
                        text = await answer.text()
                        if answer.status == 200:
                            self.look(text, begun, time.monotonic())
                await asyncio.sleep(max(0.2, every - (time.monotonic() - begun)))

    def look(self, text: str, begun: float, ended: float) -> None:
        """Take note of what a replica owns."""
        for _, labels, written in _LINE.findall(text):
            sight = self.sights.get(dict(_LABEL.findall(labels))["account"])
            if sight is not None and float(written) == 1:
                self._see(sight, begun, ended)

    def take(
        self, replica: str, text: str, floor: dict[str, float], begun: float, ended: float
    ) -> None:
        """Judge one scrape; ``floor`` is what had been shown before it began."""
        self.scrapes += 1
        owned: dict[str, bool] = {}
        up = re.search(r"^itnio_exporter_store_up (\S+)$", text, re.MULTILINE)
        if up:
            self.store_up[replica] = float(up[1])
        for name, labels, written in _LINE.findall(text):
            value = float(written)
            if name == "itnio_exporter_account_owned":
                owned[dict(_LABEL.findall(labels))["account"]] = value == 1
                continue
            series = f"{name}{{{labels}}}"
            if value < floor.get(series, 0.0):
                self.faults.append(f"{replica}: {series} went from {floor[series]} to {value}")
            self.highest[series] = max(value, self.highest.get(series, 0.0))
        for account, here in owned.items():
            sight = self.sights.setdefault(account, Sight(ended))
            if here:
                self._own(account, sight, replica, begun, ended)

    def _own(self, account: str, sight: Sight, replica: str, begun: float, ended: float) -> None:
        self._see(sight, begun, ended)
        # Ours, then another's, then ours again, all in a moment: one of them was wrong.
        before = [each for each in sight.seen if each[0] == replica]
        if before and self.judging:
            since = before[-1][2]
            between = [each for each in sight.seen if each[0] != replica and each[1] > since]
            if any(each[2] < begun for each in between) and begun - since < self.moment:
                self.faults.append(f"{account}: owned by {replica} and by {between[-1][0]} at once")
        sight.seen = [*sight.seen[-7:], (replica, begun, ended)]

    def _see(self, sight: Sight, begun: float, ended: float) -> None:
        if self.judging:
            sight.longest_unowned = max(sight.longest_unowned, begun - sight.owned_at)
        sight.owned_at = max(sight.owned_at, ended)

    def longest_unowned(self) -> float:
        """Seconds for which some account had no owner that anybody could see."""
        now = time.monotonic()
        return max(
            (max(each.longest_unowned, now - each.owned_at) for each in self.sights.values()),
            default=0.0,
        )

    def sums(self) -> dict[str, dict[str, int]]:
        """Each account's counters, the highest of all replicas; money in millionths."""
        sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for series, value in self.highest.items():
            name, _, labels = series.partition("{")
            of = dict(_LABEL.findall(labels))
            figure = name.removeprefix("itnio_voice_").removesuffix("_total")
            if figure == "spend":
                amount = int((Decimal(repr(value)) * 1_000_000).to_integral_value())
                sums[of["account"]][f"spend {of['kind']}"] += amount
            elif figure in COUNTED:
                sums[of["account"]][figure] += int(value)
        return {account: dict(each) for account, each in sums.items()}
