"""One account, looked at from outside to inside: way, clock, credentials, zone, load, cost.

What comes later is not asked where something earlier is wrong. Everything is asked by the client
that polls, with its pace and its retries, so that what works here works there.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Final

from exporter.api import errors
from exporter.api.client import Client
from exporter.config import Account, Config
from exporter.inspection.asking import Asking, Clocks, wall
from exporter.inspection.causes import Circumstances, cause, skew_in_words
from exporter.inspection.findings import Inspection, Level
from exporter.inspection.load import LoadInspection, short
from exporter.inspection.offsets import HOUR
from exporter.inspection.way import connects, outgoing_address, way_to
from exporter.inspection.zone import ZoneInspection

_WORST_SKEW: Final = 30.0
"""Seconds, as the alert on clock skew has it."""
_NOTED_SKEW: Final = 5.0
_LONGEST: Final = 180.0
"""Seconds for everything after the first answer, the waiting for a task not included."""


async def inspect(
    account: Account, config: Config, clocks: Clocks | None = None, wait: float = 0.0
) -> Inspection:
    """Look at one account; what is wrong is among the findings, nothing is raised.

    ``wait`` is for how many seconds a new task is waited for, which would tell the zone for sure.
    """
    return await _Inspector(account, config, clocks or Clocks(), wait).run()


class _Inspector:
    def __init__(self, account: Account, config: Config, clocks: Clocks, wait: float) -> None:
        self._asking = Asking(account, config, clocks)
        self._observed = self._asking.observed
        self._timeout = config.poll.timeout
        self._wait = wait
        self._way = way_to(account.base_url)
        self._found = Inspection(account.name, account.base_url)

    async def run(self) -> Inspection:
        try:
            # Local times are looked at as they are on the wall, before anything is made of them.
            async with self._asking.client(UTC) as client:
                if not await self._answers(client):
                    return self._found
                zone = ZoneInspection(client, self._asking, self._found, self._wait)
                async with asyncio.timeout(_LONGEST + self._wait):
                    offset = await zone.offset()
            async with asyncio.timeout(_LONGEST):
                load = LoadInspection(self._asking, self._found)
                await load.note(timezone(timedelta(seconds=offset)))
        except errors.ApiError as error:
            await self._note_cause(error)
        except TimeoutError:
            self._found.add(
                Level.WRONG,
                "patience",
                f"not everything was answered within {_LONGEST:.0f} s",
                "The API is slow; raise poll.concurrency, or try again.",
            )
        except Exception as error:  # noqa: BLE001  # the other accounts are to be shown all the same
            self._found.add(
                Level.WRONG,
                "internal",
                f"{type(error).__name__} in the exporter itself",
                errors.ApiError.remedy,
            )
        return self._found

    # --- way, clock, credentials ----------------------------------------------------------------

    async def _answers(self, client: Client) -> bool:
        """Ask for anything at all; tell whether it is answered, and note why not."""
        now = round(self._asking.clocks.now())
        error: errors.ApiError | None = None
        try:
            # The client tries again what can pass; its last error tells what it is about.
            async with asyncio.timeout(2 * self._timeout):
                await client.page(wall(now - HOUR, now, size=1))
        except TimeoutError:
            error = client.last_error or errors.RequestTimeoutError("no answer")
        except errors.ApiError as caught:
            error = caught
        if error is not None:
            await self._note_cause(error)
            return False
        self._note_reached()
        self._note_clock(client)
        self._found.add(Level.FINE, "credentials", "the API accepts key and secret")
        return True

    def _note_reached(self) -> None:
        by = f"by the proxy {self._way.proxy}" if self._way.proxy else "directly"
        taken = self._observed.answered_after[-1]
        self._found.add(Level.FINE, "reached", f"{by}, first answer after {short(taken)}")
        failed = [code for code in self._observed.codes if code not in {"0", "-16"}]
        if failed:
            self._found.add(
                Level.NOTE,
                "reached",
                f"only after {len(failed)} failed requests ({', '.join(dict.fromkeys(failed))})",
                "If that goes on, polls will fail now and then.",
            )

    def _note_clock(self, client: Client) -> None:
        skew, words = self._observed.skew, skew_in_words(self._observed.skew)
        if client.clock_correction or (skew is not None and abs(skew) > _WORST_SKEW):
            refused = "-16" in self._observed.codes
            and_so = ", and it refuses our timestamps (code -16)" if refused else ""
            self._found.add(
                Level.WRONG,
                "clock",
                f"skewed clock: {words}{and_so}",
                "Set this host's clock right (NTP)."
                + (" The exporter signs by the API's clock until then." if refused else ""),
            )
        elif skew is None or abs(skew) > _NOTED_SKEW:
            self._found.add(Level.NOTE, "clock", words)
        else:
            self._found.add(Level.FINE, "clock", words)

    async def _note_cause(self, error: errors.ApiError) -> None:
        account = self._asking.account
        secret = f"the secret in {account.api_secret_file}" if account.api_secret_file else None
        known = Circumstances(
            self._way,
            self._timeout,
            skew=self._observed.skew,
            copied_to=secret or "api_secret",
        )
        if isinstance(error, errors.IPRestrictedError):
            known = replace(known, address=await outgoing_address(self._way))
        if isinstance(error, errors.RequestTimeoutError):
            known = replace(known, connects=await connects(self._way))
        self._found.findings.append(cause(error, known))


async def inspect_all(
    config: Config, clocks: Clocks | None = None, wait: float = 0.0
) -> list[Inspection]:
    """Look at every account, side by side; one that fails hides none of the others."""
    return list(
        await asyncio.gather(*(inspect(each, config, clocks, wait) for each in config.accounts))
    )
