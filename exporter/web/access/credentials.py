"""The header ``Authorization`` of basic authentication (RFC 7617)."""

import base64
import binascii


def credentials(header: str | None) -> tuple[bytes, bytes] | None:
    """Return user and password; None where the header has none."""
    scheme, _, encoded = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError):
        return None
    user, colon, password = decoded.partition(b":")
    return (user, password) if colon else None
