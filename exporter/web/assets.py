"""The files that pages need, served from memory under addresses that change with their content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

from aiohttp import hdrs, web

_FOREVER: Final = "public, max-age=31536000, immutable"
_KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file. ``address`` is relative to the page, so that it holds behind a proxy's prefix."""

    address: str
    content_type: str
    content: bytes


class Assets:
    """All files of the static folder."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._by_name = {name: _asset(name, content) for name, content in files.items()}
        self._by_address = {asset.address: asset for asset in self._by_name.values()}

    @classmethod
    def packaged(cls) -> "Assets":
        """Read the files that are part of the program."""
        folder = resources.files("exporter.web").joinpath("static")
        return cls(
            {
                each.name: each.read_bytes()
                for each in folder.iterdir()
                if each.name.endswith(tuple(_KINDS))
            }
        )

    def address(self, name: str) -> str:
        """Return a file's address; KeyError where there is no such file."""
        return self._by_name[name].address

    async def serve(self, request: web.Request) -> web.Response:
        """Answer ``/static/{digest}/{name}``; raises HTTPNotFound for anything else."""
        asset = self._by_address.get(request.path.removeprefix("/"))
        if asset is None:
            raise web.HTTPNotFound
        return web.Response(
            body=asset.content,
            content_type=asset.content_type,
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: _FOREVER},
        )


def _asset(name: str, content: bytes) -> Asset:
    digest = hashlib.sha256(content).hexdigest()[:_DIGITS]
    suffix = name[name.rindex(".") :]
    return Asset(f"static/{digest}/{name}", _KINDS[suffix], content)
