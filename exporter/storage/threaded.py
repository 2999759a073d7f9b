"""The store off the event loop: one thread does all that blocks, in order.

Opened at the first use that succeeds, and held from then on: what has been loaded from it is ours
to go on writing, and nobody else's.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from exporter.storage.model import Changes, State
from exporter.storage.observer import Observer, reported
from exporter.storage.sqlite import Store

_Result = TypeVar("_Result")


class ThreadedStore:
    """The store of a folder, for use from the event loop. Raises StorageError."""

    def __init__(
        self,
        folder: Path,
        observer: Observer,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        opened: Callable[[Path], Store] = Store,
    ) -> None:
        self._folder = folder
        self._observer = observer
        self._monotonic = monotonic
        self._open = opened
        self._store: Store | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._closed = False

    async def load(self, account: str, app: str) -> State:
        """Return what is stored of an app."""
        return await self._do(lambda store: store.load(account, app))

    async def commit(self, changes: Sequence[Changes]) -> None:
        """Store all changes or none; on disk when this returns."""
        begun = self._monotonic()

        def write(store: Store) -> int:
            store.commit(changes)
            return store.size()

        size = await self._do(write)
        self._observer.store_committed(self._monotonic() - begun, size)

    async def close(self) -> None:
        """Finish what is under way and release the store; once more does no harm."""
        if self._closed:
            return
        self._closed = True

        def release() -> None:
            if self._store is not None:
                self._store.close()
                self._store = None

        await asyncio.get_running_loop().run_in_executor(self._thread, release)
        self._thread.shutdown()

    async def _do(self, work: Callable[[Store], _Result]) -> _Result:
        def run() -> _Result:
            if self._store is None:
                self._store = self._open(self._folder)
            return work(self._store)

        with reported(self._observer, str(self._folder)):
            return await asyncio.get_running_loop().run_in_executor(self._thread, run)
