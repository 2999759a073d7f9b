"""Making very many lasting objects at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def in_bulk() -> Iterator[None]:
    """Put garbage collection off: it would look again and again at what is there to stay.

    A day of 100,000 tasks takes a third less time. Only for stretches without an `await`.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
