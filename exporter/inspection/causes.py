"""Why an account cannot be asked, in plain words: from an error of the client to what to do.

The client's error says what happened to a request; here it is told apart further, by the library's
error beneath it and by what is known of the way to the API.
"""

import errno
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from exporter.api import errors
from exporter.inspection.findings import Finding, Level
from exporter.inspection.way import Way, is_public

_MARKUP: Final = re.compile(r"begins with ['\"](?:\\.|\s|\ufeff)*<")
_ADDRESS: Final = re.compile(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b")
_PROXY_LOGIN: Final = 407
_GATEWAY_REFUSALS: Final = (401, 403)
_NOT_FOUND: Final = (404, 405)
_NOTICEABLE: Final = 60.0
"""Seconds of clock skew that may be the reason for a refusal."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known besides the error. ``skew``: the API's clock minus ours, in seconds."""

    way: Way
    timeout: float
    skew: float | None = None
    address: str | None = None
    """This host's address on the way."""
    connects: bool | None = None
    """Whether a bare connection can be made; None: not tried."""
    copied_to: str = "api_secret"
    """Where the other half of the credentials stands."""


def cause(error: errors.ApiError, known: Circumstances) -> Finding:
    """Return what is wrong and what to do about it."""
    for kind, explain in _EXPLAINED.items():
        if isinstance(error, kind):
            return explain(error, known)
    return Finding(Level.WRONG, "answer", str(error), error.remedy)


def _refused(error: errors.ApiError, known: Circumstances) -> Finding:
    clock = ""
    if known.skew is not None and abs(known.skew) > _NOTICEABLE:
        clock = f"This host's clock is also off, by {abs(known.skew):.0f} s: set it right first. "
    return Finding(
        Level.WRONG,
        "credentials",
        f"wrong key or secret: {error}",
        f"{clock}Copy api_key and {known.copied_to} again from the vendor's console; the API does "
        "not say which of them is wrong, or whether the key has been disabled.",
    )


def _restricted(error: errors.ApiError, known: Circumstances) -> Finding:
    named = _ADDRESS.search(str(error))
    if named:
        whose = f"The API sees {named[0]}"
    elif known.way.proxy is not None:
        whose = f"Requests go by the proxy {known.way.proxy}, so the API sees the proxy's address"
    elif known.address is None:
        whose = "The API sees the address by which this host reaches the internet"
    elif is_public(known.address):
        whose = f"This host asks from {known.address}"
    else:
        whose = (
            f"This host asks from {known.address}, which is not a public address: the API sees "
            "that of the gateway (NAT) it goes out by"
        )
    return Finding(
        Level.WRONG,
        "address",
        f"blocked address: {error}",
        f"{whose}. Put that address on the account's allow-list in the vendor's console.",
    )


def _expired(error: errors.ApiError, known: Circumstances) -> Finding:
    return Finding(
        Level.WRONG,
        "clock",
        f"skewed clock: {skew_in_words(known.skew)}; {error}",
        "Set this host's clock right (NTP).",
    )


def skew_in_words(skew: float | None) -> str:
    """Return how this host's clock differs from the API's."""
    if skew is None:
        return "the API shows no Date to compare this host's clock with"
    if abs(skew) <= 1:
        return "this host's clock agrees with the API's to the second"
    return (
        f"this host's clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the API's"
    )


def _slow(_: errors.ApiError, known: Circumstances) -> Finding:
    host, port = known.way.next_hop
    after = f"no answer within {known.timeout:g} s (poll.timeout)"
    if known.connects is False:
        return Finding(
            Level.WRONG,
            "connection",
            f"time-out: {after}, and no connection to {host}:{port} can be made",
            f"A firewall or a wrong route drops what goes to {host}:{port}: have it opened, or "
            "correct base_url.",
        )
    return Finding(
        Level.WRONG,
        "connection",
        f"time-out: {after}, though {host}:{port} takes connections",
        "The API is slow or hangs: raise poll.timeout, and tell the provider if it lasts.",
    )


def _unreached(error: errors.ApiError, known: Circumstances) -> Finding:
    beneath = error.__context__
    host, port = known.way.next_hop
    what, remedy = str(error), error.remedy
    match beneath:
        case aiohttp.ClientConnectorDNSError():
            what = f"DNS failure: the name {host} cannot be resolved"
            remedy = "Check the spelling of base_url, and this host's DNS (/etc/resolv.conf)."
            if known.way.proxy is not None:
                remedy = "Check the proxy's name in HTTPS_PROXY or HTTP_PROXY, and this host's DNS."
        case aiohttp.ClientConnectorCertificateError():
            what, remedy = _certificate(beneath.certificate_error, known)
        case aiohttp.ClientConnectorSSLError():
            what = f"TLS failure: no TLS with {host}:{port}: {beneath.os_error}"
            remedy = "Check that this port of base_url speaks TLS (else write http://)."
        case aiohttp.ClientConnectorError():
            what, remedy = _not_connected(beneath.os_error, known)
        case aiohttp.ServerDisconnectedError() | ConnectionResetError() | aiohttp.ClientOSError():
            what = f"connection cut: {error}"
            remedy = (
                "Something on the way closes connections: check firewall and proxy, and whether "
                "base_url should begin with https://."
            )
    if known.way.proxy is not None and known.way.proxy not in what:
        what = f"{what} (by the proxy {known.way.proxy})"
    return Finding(Level.WRONG, "connection", what, remedy)


def _certificate(error: Exception, known: Circumstances) -> tuple[str, str]:
    host = known.way.host
    reason = getattr(error, "verify_message", "") or str(error)
    what = f"TLS failure: the certificate of {host} does not hold: {reason}"
    if isinstance(error, ssl.SSLCertVerificationError) and "expired" in reason:
        return what, "The certificate has expired, or this host's clock is wrong: check the clock."
    if "mismatch" in reason or "not valid for" in reason:
        return what, "base_url names another host than the certificate: correct base_url."
    return what, (
        "Check base_url; where a proxy or a private authority issues certificates, give its "
        "root in SSL_CERT_FILE."
    )


def _not_connected(error: OSError, known: Circumstances) -> tuple[str, str]:
    host, port = known.way.next_hop
    by_proxy = known.way.proxy is not None
    who = f"the proxy {host}:{port}" if by_proxy else f"{host}:{port}"
    where = "HTTPS_PROXY or HTTP_PROXY" if by_proxy else "host and port in base_url"
    if error.errno == errno.ECONNREFUSED:
        return f"refused connection: nothing listens at {who}", f"Check {where}, or a firewall."
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return (
            f"no route: {who} cannot be reached from this host",
            "Check this host's network, its default route, and IPv6 where it has none.",
        )
    reason = error.strerror or type(error).__name__
    return f"no connection to {who}: {reason}", f"Check {where}, and firewalls on the way."


def _http(error: errors.ApiError, known: Circumstances) -> Finding:
    status = getattr(error, "status", 0)
    remedy = error.remedy
    if status == _PROXY_LOGIN:
        remedy = f"The proxy {known.way.proxy or ''} wants user and password: put them in its URL."
    elif status in _GATEWAY_REFUSALS:
        remedy = "A gateway before the API refuses: check base_url, and ask the provider."
    elif status in _NOT_FOUND:
        remedy = "Nothing is there: check the path in base_url; it ends before /voice/."
    elif 300 <= status < 400:  # noqa: PLR2004
        remedy = "base_url leads elsewhere, and signed requests follow nobody: write the new URL."
    return Finding(Level.WRONG, "HTTP", f"HTTP error: {error}", remedy)


def _no_answer(error: errors.ApiError, known: Circumstances) -> Finding:
    beneath = error.__context__
    if isinstance(beneath, aiohttp.ClientHttpProxyError):
        login = "; it wants user and password" if beneath.status == _PROXY_LOGIN else ""
        return Finding(
            Level.WRONG,
            "proxy",
            f"proxy: {known.way.proxy or 'it'} answers HTTP {beneath.status}{login}",
            "Check HTTPS_PROXY and NO_PROXY in this process's environment.",
        )
    if _MARKUP.search(str(error)):
        return Finding(
            Level.WRONG,
            "answer",
            f"a web page instead of JSON: {error}",
            "base_url is not the API: it may be a website, a login page or a proxy's notice.",
        )
    return Finding(Level.WRONG, "answer", f"not this API: {error}", error.remedy)


_EXPLAINED: Final[
    Mapping[type[errors.ApiError], Callable[[errors.ApiError, Circumstances], Finding]]
] = {
    errors.AuthenticationError: _refused,
    errors.IPRestrictedError: _restricted,
    errors.ClockSkewError: _expired,
    errors.RequestTimeoutError: _slow,
    errors.ConnectionFailedError: _unreached,
    errors.HTTPStatusError: _http,
    errors.InvalidResponseError: _no_answer,
}
