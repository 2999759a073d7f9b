"""Long work in turns: scrapes are answered between them, by the same event loop."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


async def in_turns(steps: Iterable[None]) -> None:
    """Do work step by step, and let others have their turn after each."""
    for _ in steps:
        await asyncio.sleep(0)


def parts(whole: Mapping[_Key, _Value], size: int) -> Iterator[dict[_Key, _Value]]:
    """Cut a mapping into parts of at most so many entries, in its order."""
    items = iter(whole.items())
    while part := dict(islice(items, size)):
        yield part
