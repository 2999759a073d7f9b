"""Work done side by side, of which nothing is left behind."""

import asyncio
from collections.abc import Coroutine, Iterable


async def side_by_side(work: Iterable[Coroutine[None, None, None]]) -> None:
    """Do all of it; where a part fails, the rest is stopped before its error is raised.

    Unlike a task group it raises the error itself, not a group of one.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
