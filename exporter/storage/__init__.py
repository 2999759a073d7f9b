"""The ledger on disk: what has been counted survives the process."""

from exporter.storage.model import REASONS, Changes, Database, State, StorageError, TotalRow
from exporter.storage.sqlite import Store
from exporter.storage.threaded import ThreadedStore

__all__ = [
    "REASONS",
    "Changes",
    "Database",
    "State",
    "StorageError",
    "Store",
    "ThreadedStore",
    "TotalRow",
]
