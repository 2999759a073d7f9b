"""How a request is signed: pure, so that the vendor's example is its test vector."""

from hashlib import md5


def sign(api_key: str, api_secret: str, timestamp: str) -> str:
    """Return the ``Sign`` header: hex md5 of key, secret and timestamp, one after the other.

    MD5 is what the vendor's page asks for; it guards nothing else here.
    """
    text = api_key + api_secret + timestamp
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def headers(api_key: str, api_secret: str, now: float) -> dict[str, str]:
    """Return the headers of a request signed at ``now`` (Unix seconds)."""
    timestamp = str(int(now))
    return {
        "Content-Type": "application/json;charset=UTF-8",
        "Api-Key": api_key,
        "Timestamp": timestamp,
        "Sign": sign(api_key, api_secret, timestamp),
    }
