"""Tasks as the API writes them: a day of ended ones, and one in a hundred that is still calling."""

import json
import random
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime
from typing import Any, Final

PAGE: Final = 100
SCRIPTS: Final = 30
DAY: Final = 86_400
CALLING_EACH: Final = 100
"""One task in so many is not ended yet: what changes from one poll to the next."""
_LARGEST: Final = 4_000


class World:
    """``tasks`` tasks created evenly in the day before ``now`` (Unix seconds), as JSON records.

    ``tick`` lets each task that is calling make more calls.
    """

    def __init__(self, tasks: int, now: int) -> None:
        self.created = [now - DAY + 600 + place * (DAY - 1200) // tasks for place in range(tasks)]
        self.ticks = 0
        self._calling = range(0, tasks, CALLING_EACH)
        self._records = [_encoded(self._record(place)) for place in range(tasks)]

    def tick(self) -> int:
        """Let the calling tasks go on; return how many they are."""
        self.ticks += 1
        for place in self._calling:
            self._records[place] = _encoded(self._record(place))
        return len(self._calling)

    def page(self, begin: int, end: int, number: int, *, unfinished: bool) -> bytes:
        """Return a page of the tasks created in a range, the newest first."""
        first, last = bisect_left(self.created, begin), bisect_right(self.created, end)
        found: range | list[int] = range(first, last)
        if unfinished:
            found = [place for place in self._calling if first <= place < last]
        stop = max(0, len(found) - (number - 1) * PAGE)
        chosen = found[max(0, stop - PAGE) : stop]
        records = b",".join(self._records[place] for place in reversed(chosen))
        return (
            b'{"code":0,"msg":"success","data":{"records":[%b],"total":%d,"size":%d,'
            b'"current":%d,"searchCount":true,"pages":%d}}'
            % (records, len(found), PAGE, number, -(-len(found) // PAGE))
        )

    def _record(self, place: int) -> dict[str, Any]:
        chance = random.Random(place)  # noqa: S311  # the same world at each run
        local = datetime.fromtimestamp(self.created[place], UTC).strftime("%Y-%m-%d %H:%M:%S")
        numbers = chance.randrange(50, _LARGEST)
        calling = place % CALLING_EACH == 0
        calls = numbers // 10 + 7 * self.ticks if calling else numbers
        answered = calls * chance.randrange(20, 50) // 100
        billed = answered * chance.randrange(20, 60)
        agent, call = answered * chance.randrange(12_500, 25_000), billed * 217
        sms = answered // 20
        parts = (agent, call, sms * 4_500)
        return {
            "taskId": 5_000_000 + place,
            "taskName": f"{local}-agent",
            "status": 1 if calling else 2,
            "rate": str(100 * calls // numbers),
            "numCnt": numbers,
            "callNum": calls,
            "success": calls - calls // 12,
            "fail": calls // 12,
            "createdTime": local,
            "scriptId": chance.randrange(1, SCRIPTS + 1),
            "taskType": 3,
            "answeredNum": answered,
            "asr": str(100 * answered // max(1, calls)),
            "agentTotalFeetime": billed * 2 // 3,
            "agentFee": _money(agent),
            "chargeLen": billed,
            "acd": f"{billed // max(1, answered)}s",
            "groupCallPayFee": f"{_money(call)}(USD)",
            "smsPayFee": f"{_money(parts[2]) if sms else '0'}(USD)",
            "taskSumPayFee": f"{_money(sum(parts))}(USD)",
            "sendSmsNum": sms,
        }


def _encoded(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def _money(millionths: int) -> str:
    return f"{millionths // 10**6}.{millionths % 10**6:06}"
