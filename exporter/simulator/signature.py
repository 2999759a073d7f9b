"""How a request is signed, from the vendor's page."""

import hashlib


def sign(api_key: str, api_secret: str, timestamp: str) -> str:
    """Return the hex md5 of key, secret and timestamp (Unix seconds, as sent)."""
    text = f"{api_key}{api_secret}{timestamp}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def headers(api_key: str, api_secret: str, now: float) -> dict[str, str]:
    """Return the headers of a good request, for tests and for trying the API by hand."""
    timestamp = str(int(now))
    return {
        "Content-Type": "application/json;charset=UTF-8",
        "Api-Key": api_key,
        "Timestamp": timestamp,
        "Sign": sign(api_key, api_secret, timestamp),
    }
