"""Results of a run that takes long, kept so that it can be broken off and go on."""

import pickle
from collections.abc import Iterable
from pathlib import Path

from benchmarks.detection.run import Result


class Kept:
    """A folder of results; those of other rules are not taken for these rules'."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, result: Result) -> None:
        """Keep an account's result."""
        path = self._path(result.account.name)
        new = path.with_suffix(".new")
        new.write_bytes(pickle.dumps(result))
        new.replace(path)

    def read(self, names: Iterable[str]) -> dict[str, Result]:
        """Return what is kept of these accounts, by name."""
        found: dict[str, Result] = {}
        for name in names:
            path = self._path(name)
            if path.exists():
                # Written by ourselves, into a folder that the caller names.
                found[name] = pickle.loads(path.read_bytes())  # noqa: S301
        return found

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}-{self._fingerprint}.pickle"
