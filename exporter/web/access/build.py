"""From values to the model: what must hold between keys, and what the named files say."""

import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from exporter.config.problems import Refusal
from exporter.config.reading import Place, Report, Value, Values
from exporter.config.secret import Secret
from exporter.config.secret_file import is_world_readable, unreadable
from exporter.web.access.kinds import ClientAuth
from exporter.web.access.model import RateLimit, TlsSettings, WebConfig
from exporter.web.access.seen import Seen, signature
from exporter.web.access.suites import MODERN, SUITES, has_forward_secrecy
from exporter.web.access.tls import check_certificate, check_key, normal, server_context

_LARGEST: Final = 1024 * 1024
_SLOW_COST: Final = 14


class Builder:
    """Builds it; what is wrong goes into the report, and None comes of it."""

    def __init__(self, report: Report, folder: Path, seen: Seen) -> None:
        self._report = report
        self._folder = folder
        self._seen = seen

    def build(self, values: Values) -> WebConfig | None:
        """Return the model; None where something is wrong with it."""
        tls = limit = None
        users: Mapping[bytes, Secret] = {}
        headers: Mapping[str, str] = {}
        if "tls_server_config" in values.found:
            tls = self._tls(values["tls_server_config"].value)
        if "basic_auth_users" in values.found:
            users = self._users(values["basic_auth_users"])
        if "http_server_config" in values.found:
            headers = self._http(values["http_server_config"].value)
        if "rate_limit" in values.found:
            limit = self._rate_limit(values["rate_limit"].value)
        if not values.complete:
            return None
        return WebConfig(
            tls=tls,
            users=MappingProxyType(users),
            headers=MappingProxyType(headers),
            rate_limit=limit,
            warnings=tuple(sorted(self._report.warnings, key=lambda warning: warning.line)),
        )

    # --- TLS --------------------------------------------------------------------------------------

    def _tls(self, values: Values) -> ssl.SSLContext | None:
        if values.complete and not any(values.given(name) for name in values.found):
            return None  # the section is empty, or not there
        before = len(self._report.problems)
        certificate = self._pem(values, "cert", "cert_file", required=True)
        key = self._pem(values, "key", "key_file", required=True)
        authorities = self._pem(values, "client_ca", "client_ca_file", required=False)
        self._check(values, "cert", certificate, check_certificate)
        self._check(values, "key", key, check_key)
        self._check(values, "client_ca", authorities, check_certificate)
        auth = values.get("client_auth_type")
        if auth is not None:
            self._check_clients(values, auth, named=authorities is not None)
        minimum, suites = self._suites(values)
        curves: tuple[Value, ...] = values.get("curve_preferences") or ()
        if len(curves) > 1:
            self._report.problem(
                values.where("curve_preferences"),
                "cannot be honoured: this Python's TLS can be told one curve, not several in an "
                "order; keep one of them, or leave the key out for OpenSSL's own order",
            )
        if len(self._report.problems) > before or not values.complete:
            return None
        if certificate is None or key is None or minimum is None:  # pragma: no cover  # reported
            return None
        settings = TlsSettings(
            certificate=certificate,
            key=Secret(key.decode("utf-8", "replace")),
            client_auth=auth,
            client_ca=None if authorities is None else authorities.decode("ascii", "replace"),
            allowed_names=frozenset(
                normal(item.value) for item in values.get("client_allowed_sans") or ()
            ),
            minimum=minimum,
            maximum=values.get("max_version"),
            suites=suites,
            server_prefers=values.get("prefer_server_cipher_suites"),
            curve=curves[0].value if curves else None,
        )
        try:
            return server_context(settings)
        except Refusal as refusal:
            self._report.problem(self._either(values, "key"), str(refusal))
            return None

    def _either(self, values: Values, name: str) -> Place:
        file = f"{name}_file"
        return values.where(name if values.given(name) and not values.given(file) else file)

    def _pem(self, values: Values, name: str, file: str, *, required: bool) -> bytes | None:
        """Return what is given in place or in a file; None, and a problem, where it is not."""
        if name not in values.found or file not in values.found:
            return None  # what was wrong with it has been reported
        in_place, named = values.get(name), values.get(file)
        if in_place is not None and named is not None:
            self._report.problem(values.where(name), f"is given beside {file}; keep one of them")
            return None
        if in_place is not None:
            text: str = in_place.reveal() if isinstance(in_place, Secret) else in_place
            return text.encode()
        if named is None:
            if required:
                self._report.problem(
                    values.where(file), f"is missing; write {file}: and a path, or {name}: and PEM"
                )
            return None
        path = self._folder / named
        self._seen[path] = signature(path)
        if name == "key" and is_world_readable(path):
            self._report.warning(
                values.where(file), "points to a file that every user may read; chmod o-r it"
            )
        try:
            return _content(path)
        except Refusal as refusal:
            self._report.problem(values.where(file), str(refusal))
            return None

    def _check(
        self, values: Values, name: str, content: bytes | None, check: Callable[[bytes], None]
    ) -> None:
        if content is None:
            return
        try:
            check(content)
        except Refusal as refusal:
            self._report.problem(self._either(values, name), str(refusal))

    def _check_clients(self, values: Values, auth: ClientAuth, *, named: bool) -> None:
        if named and auth is ClientAuth.NONE:
            self._report.problem(
                values.where("client_auth_type"),
                "is NoClientCert beside authorities of client certificates, which would be for "
                "nothing; write RequireAndVerifyClientCert, or remove them",
            )
        if auth is ClientAuth.REQUEST:
            self._report.warning(
                values.where("client_auth_type"),
                "is RequestClientCert, which lets everybody in, with any certificate or none, as "
                "NoClientCert does: certificates are not asked for; write "
                "RequireAndVerifyClientCert to have them verified",
            )
        if not values.given("client_allowed_sans"):
            return
        if not values.get("client_allowed_sans"):
            self._report.problem(
                values.where("client_allowed_sans"),
                "is an empty list, so nobody could connect; write a name or leave the key out",
            )
        elif auth is not ClientAuth.REQUIRE_AND_VERIFY:
            self._report.problem(
                values.where("client_allowed_sans"),
                "needs verified certificates; write client_auth_type: RequireAndVerifyClientCert, "
                "without which a client needs none, or may write its names itself",
            )

    def _suites(self, values: Values) -> tuple[ssl.TLSVersion | None, tuple[str, ...]]:
        """Return the lowest version that is left, and the suites of TLS 1.2 by OpenSSL's names."""
        least, most = values.get("min_version"), values.get("max_version")
        named: tuple[Value, ...] = values.get("cipher_suites") or ()
        if least is None or most is None:
            return None, ()
        if least > most:
            self._report.problem(
                values.where("min_version"), "is above max_version; nothing is between them"
            )
        for item in named:
            if not has_forward_secrecy(item.value):
                self._report.warning(
                    item.place,
                    "has no forward secrecy: who records traffic and steals the key later reads "
                    "it all; remove it unless a client speaks nothing else",
                )
        suites = tuple(SUITES[item.value] for item in named if item.value not in MODERN)
        if named and not suites:
            # As in Go: without a suite of TLS 1.2, that version cannot be spoken.
            if most < ssl.TLSVersion.TLSv1_3:
                self._report.problem(
                    values.where("cipher_suites"),
                    "has only suites of TLS 1.3, and max_version is below; nothing is left",
                )
            least = ssl.TLSVersion.TLSv1_3
        return least, suites

    # --- the rest ---------------------------------------------------------------------------------

    def _users(self, read: Value) -> Mapping[bytes, Secret]:
        users: Values = read.value
        if read.given and users.complete and not users.found:
            self._report.warning(read.place, "has no user, so everybody is let in; write one")
        for item in users.found.values():
            cost = int(item.value.reveal().split("$")[2])
            if cost > _SLOW_COST:
                self._report.warning(
                    item.place,
                    f"has a cost of {cost}, so that the first check of a password takes seconds; "
                    "10 to 12 are usual",
                )
        return {name.encode(): item.value for name, item in users.found.items()}

    def _http(self, values: Values) -> Mapping[str, str]:
        if values.given("http2") and values.get("http2"):
            self._report.warning(
                values.where("http2"),
                "is true, but HTTP/2 is not served: clients that offer it agree on HTTP/1.1",
            )
        headers: Values | None = values.get("headers")
        if headers is None:
            return {}
        return {name: found.value for name, found in headers.found.items() if found.given}

    def _rate_limit(self, values: Values) -> RateLimit | None:
        interval, burst = values.get("interval"), values.get("burst")
        if not interval or burst is None:
            return None
        if burst < 1:
            self._report.problem(
                values.where("burst"),
                "is 0, so every request would be refused; write at least 1",
            )
            return None
        return RateLimit(interval, burst)


def _content(path: Path) -> bytes:
    try:
        # A pipe that nobody writes to would be waited for for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(_LARGEST + 1) or b""
    except IsADirectoryError:
        raise Refusal("points to a directory; write the path of a file") from None
    except (OSError, ValueError) as error:
        raise Refusal(unreadable(error)) from None
    if len(content) > _LARGEST:
        raise Refusal("points to a file larger than 1 MiB; is it the right one?")
    return content
