"""The base URL of the API."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from exporter.config.problems import Refusal

_LONGEST: Final = 2048
_HOST: Final = r"[A-Za-z0-9!$%&'()*+,;=._~:\[\]-]"
SCHEMA: Final = {
    "type": "string",
    "maxLength": _LONGEST,
    "pattern": f"^[Hh][Tt][Tt][Pp][Ss]?://(?!:){_HOST}+(?:/(?:{_HOST}|[/@])*)?$",
}
"""JSON Schema of what is accepted, but for what is no host or port."""
_EXAMPLE: Final = "write one like https://api.itniotech.com"


def read_base_url(text: str) -> str:
    """Return the URL without a slash at its end; Refusal where it cannot be a base."""
    if not 0 < len(text) <= _LONGEST or not text.isascii() or not text.isprintable():
        raise Refusal(f"is not a URL; {_EXAMPLE}")
    if any(char in text for char in ' "<>\\^`{|}'):
        raise Refusal(f"has characters that a URL cannot have; {_EXAMPLE}")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Refusal(f"is not a URL; {_EXAMPLE}") from None
    if parts.scheme not in {"http", "https"}:
        raise Refusal(f"does not begin with https:// or http://; {_EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        raise Refusal("has a user or password in it; remove them, api_key and api_secret are all")
    if not host or port == 0:
        raise Refusal(f"has no usable host or port; {_EXAMPLE}")
    if "?" in text or "#" in text:
        raise Refusal("has a query or fragment; write only scheme, host, port and path")
    return text.rstrip("/")


def is_exposed(url: str) -> bool:
    """Tell whether credentials sent there could be read on the way: http and not this host."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True
