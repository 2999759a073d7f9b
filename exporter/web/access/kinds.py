"""The kinds of value that only the web configuration has; the others are `exporter.config`'s."""

import re
import ssl
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Final

from exporter.config.kinds import Kind
from exporter.config.problems import Refusal
from exporter.config.secret import Secret
from exporter.config.wording import nearest
from exporter.web.access.suites import (
    CURVES,
    MODERN,
    SUITES,
    VERSIONS,
    WITHDRAWN,
    is_available,
    is_curve_available,
)

# 128 bits of salt are 21 characters and a third of one, 184 bits of hash 31.
_HASH: Final = re.compile(r"\$2[abxy]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
LEAST_COST: Final = 4
MOST_COST: Final = 18
"""A check of that cost takes seconds; each further step doubles them."""
_LONGEST_NAME: Final = 512
_LONGEST_VALUE: Final = 4096
# Go's durations, as `time.ParseDuration` reads them.
_DURATION: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


class ClientAuth(Enum):
    """What is asked of a client's certificate; values as in the file."""

    NONE = "NoClientCert"
    REQUEST = "RequestClientCert"
    VERIFY_IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRE_AND_VERIFY = "RequireAndVerifyClientCert"


_ANY: Final = frozenset({"RequireAnyClientCert", "RequireClientCert"})


def client_auth() -> Kind:
    """Return the kind of Go's policies for client certificates."""
    known = [each.value for each in ClientAuth]

    def read(value: str) -> ClientAuth:
        if not value:
            return ClientAuth.NONE
        if value in _ANY:
            raise Refusal(
                "cannot be honoured: it takes any certificate, even one that the client has just "
                "made, and what is not verified is not taken here; write "
                "RequireAndVerifyClientCert with client_ca_file"
            )
        if value not in known:
            raise _unknown(value, "a policy for client certificates", known)
        return ClientAuth(value)

    return Kind("a policy for client certificates", read, {"enum": known})


def version() -> Kind:
    """Return the kind of a TLS version."""

    def read(value: str) -> ssl.TLSVersion:
        if value in WITHDRAWN:
            raise Refusal(
                "cannot be honoured: TLS 1.0 and 1.1 are withdrawn (RFC 8996) and not served; "
                "write TLS12 or TLS13"
            )
        if value not in VERSIONS:
            raise _unknown(value, "a TLS version", VERSIONS)
        return VERSIONS[value]

    return Kind("a TLS version", read, {"enum": list(VERSIONS)})


def suite() -> Kind:
    """Return the kind of a cipher suite, which keeps Go's name."""
    known = [*SUITES, *sorted(MODERN)]

    def read(value: str) -> str:
        if value in SUITES and not is_available(SUITES[value]):
            raise Refusal(f"cannot be honoured: {ssl.OPENSSL_VERSION} does not have it; remove it")
        if value not in known:
            raise _unknown(value, "a cipher suite that can be served", known)
        return value

    return Kind("a cipher suite", read, {"enum": known})


def curve() -> Kind:
    """Return the kind of an elliptic curve, read as OpenSSL's name."""

    def read(value: str) -> str:
        if value not in CURVES:
            raise _unknown(value, "a curve", CURVES)
        if not is_curve_available(CURVES[value]):
            raise Refusal(
                f"cannot be honoured: {ssl.OPENSSL_VERSION} with this Python cannot be told to "
                "use it; write another, or leave curve_preferences out"
            )
        return CURVES[value]

    return Kind("a curve", read, {"enum": list(CURVES)})


def _unknown(value: str, what: str, known: Collection[str] | Mapping[str, object]) -> Refusal:
    near = nearest(value, known)
    return Refusal(f"is not {what}; {f'did you mean {near}?' if near else _one_of(known)}")


def _one_of(known: Collection[str] | Mapping[str, object]) -> str:
    return f"write one of {', '.join(known)}"


def pem(*, secret: bool = False) -> Kind:
    """Return the kind of what stands in PEM in the file itself."""

    def read(value: str) -> Secret | str:
        if not value.strip():
            raise Refusal("is empty; write the text of the PEM file")
        return Secret(value) if secret else value

    return Kind("text in PEM", read, {"type": "string"}, hidden=True, secret=secret)


def alternative_name() -> Kind:
    """Return the kind of what a certificate names its owner by: DNS, IP, e-mail or URI."""

    def read(value: str) -> str:
        if not value or len(value) > _LONGEST_NAME or not value.isprintable():
            raise Refusal("is no name; write a DNS name, IP address, e-mail address or URI")
        return value

    return Kind("a name", read, {"type": "string", "minLength": 1})


def password_hash() -> Kind:
    """Return the kind of a bcrypt hash."""

    def read(value: str) -> Secret:
        match = _HASH.fullmatch(value)
        if match is None:
            raise Refusal(
                "is not a bcrypt hash ($2y$10$… with 60 characters in all); make one with "
                "htpasswd -nBC 10 USER and write what follows the colon"
            )
        if not LEAST_COST <= int(match[1]) <= MOST_COST:
            raise Refusal(
                f"has a cost of {int(match[1])}; it must be from {LEAST_COST} to {MOST_COST}, "
                "and 10 to 12 are usual: each step doubles the time of a check"
            )
        return Secret(value)

    return Kind("a bcrypt hash", read, {"type": "string"}, hidden=True, secret=True)


def header(*values: str) -> Kind:
    """Return the kind of a header's value: one of these, or any text on one line; empty: none."""

    def read(value: str) -> str:
        if len(value) > _LONGEST_VALUE or not value.isprintable() or not value.isascii():
            raise Refusal("cannot be sent in a header; write plain ASCII on one line")
        if value and values and value not in values:
            raise Refusal(f"is not possible for this header; write {' or '.join(values)}")
        return value

    return Kind("text", read, {"type": "string"})


def go_duration() -> Kind:
    """Return the kind of a duration as Go writes it, read as seconds."""

    def read(value: str) -> float:
        if re.fullmatch("0+", value):
            return 0.0
        if re.fullmatch("[0-9]+", value):
            raise Refusal(
                "has no unit, and other exporters take it for nanoseconds; write it like 1s"
            )
        parts = [(match[0], match[1]) for match in _DURATION.finditer(value)]
        if not parts or "".join(text for text, _ in parts) != value:
            raise Refusal("is not a duration; write it like 1s, 500ms or 1m30s")
        return sum(
            float(text.removesuffix(unit)) * {**_SECONDS, "h": 3600}[unit] for text, unit in parts
        )

    return Kind("a duration", read, {"type": "string"})
