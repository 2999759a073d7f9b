"""TLS on Python's ssl: contexts from settings, whose clients are checked while they shake hands."""

import contextlib
import ipaddress
import os
import re
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import structlog

from exporter.config.problems import Refusal
from exporter.web.access.kinds import ClientAuth
from exporter.web.access.model import TlsSettings

log = structlog.get_logger("tls")

_CERTIFICATE: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----")
_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_ENCRYPTED: Final = re.compile(rb"ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")
_DESCRIPTORS: Final = "/proc/self/fd"
_VERIFYING: Final = {
    ClientAuth.VERIFY_IF_GIVEN: ssl.CERT_OPTIONAL,
    ClientAuth.REQUIRE_AND_VERIFY: ssl.CERT_REQUIRED,
}
# How Python names the kinds of a subject alternative name that clients can be told by.
_NAMES: Final = frozenset({"DNS", "IP Address", "email", "URI"})


class ServerContext(ssl.SSLContext):
    """A context that, beyond what OpenSSL verifies, wants one of some names of a client."""

    allowed_names: frozenset[str] = frozenset()

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
    ) -> ssl.SSLObject:
        """Begin a connection, which knows what is still to be sent."""
        connection = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        if isinstance(connection, _Handshake):
            connection.outgoing = outgoing
        return connection


class NewestContext(ssl.SSLContext):
    """What a server is started with: each new connection gets the context that is in force then.

    asyncio asks the context for nothing but `wrap_bio`.
    """

    _newest: Callable[[], ssl.SSLContext]

    @classmethod
    def of(cls, newest: Callable[[], ssl.SSLContext]) -> "NewestContext":
        """Return a context that stands for the one that `newest` returns."""
        context = cls(ssl.PROTOCOL_TLS_SERVER)
        context._newest = newest
        return context

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection."""
        return self._newest().wrap_bio(*args, **kwargs)


class _Handshake(ssl.SSLObject):
    """One connection. Whoever is not let in is refused before any request is read."""

    outgoing: ssl.MemoryBIO | None = None
    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            _log_failure(error)
            if self.outgoing is None or not self.outgoing.pending:
                raise
            # What is pending is the alert that tells the client why. asyncio drops it where a
            # handshake fails, and sends it where one goes on: so it seems to, until the client
            # closes, says more, or has had the time that a handshake has.
            self._failure = error
            raise ssl.SSLWantReadError from error
        try:
            self._check_names()
        except ssl.SSLError as error:
            _log_failure(error)
            raise

    def _check_names(self) -> None:
        context = self.context
        if not isinstance(context, ServerContext) or not context.allowed_names:
            return
        certificate = self.getpeercert() or {}
        if not names_of(certificate) & context.allowed_names:
            raise ssl.SSLCertVerificationError(
                1, "the client's certificate has none of client_allowed_sans"
            )


def _log_failure(error: ssl.SSLError) -> None:
    # What a client does wrong is not the operator's concern, unless it is looked for.
    found = (getattr(error, name, None) for name in ("verify_message", "reason"))
    log.debug("handshake failed", reason=next(filter(None, found), error.args[-1]))


def names_of(certificate: Mapping[str, Any]) -> frozenset[str]:
    """Return a verified certificate's alternative names, as `normal` writes them."""
    pairs: tuple[tuple[str, str], ...] = certificate.get("subjectAltName", ())
    return frozenset(normal(name) for kind, name in pairs if kind in _NAMES)


def normal(name: str) -> str:
    """Return a name as it is compared: an IP address in the one way to write it, others as is."""
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name


def check_certificate(content: bytes) -> None:
    """Refusal where this is no chain of certificates in PEM."""
    if not _CERTIFICATE.search(content):
        raise Refusal("has no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(
            cadata=content.decode("ascii", "replace")
        )
    except (ssl.SSLError, ValueError):
        raise Refusal("has a certificate that is damaged; copy it again") from None


def check_key(content: bytes) -> None:
    """Refusal where this is no private key in PEM that can be read without a passphrase."""
    if _ENCRYPTED.search(content):
        raise Refusal(
            "has an encrypted key, and there is nobody to ask for its passphrase; "
            "decrypt it with openssl pkey"
        )
    if not _KEY.search(content):
        raise Refusal("has no private key in PEM (-----BEGIN PRIVATE KEY-----)")


def server_context(settings: TlsSettings) -> ServerContext:
    """Return a context; Refusal where certificate and key do not go together or are too weak."""
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Handshake
    context.minimum_version, context.maximum_version = settings.minimum, settings.maximum
    # A client that renegotiates makes the server work for nothing.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if settings.server_prefers:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if settings.suites:
        context.set_ciphers(":".join(settings.suites))
    if settings.curve is not None:
        context.set_ecdh_curve(settings.curve)
    context.set_alpn_protocols(["http/1.1"])
    _load_chain(context, settings)
    mode = _VERIFYING.get(settings.client_auth)
    if mode is not None:
        context.verify_mode = mode
        # As Go does it: whoever is listed is trusted, an authority of authorities or not.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if settings.client_ca is None:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        else:
            context.load_verify_locations(cadata=settings.client_ca)
        context.allowed_names = settings.allowed_names
    return context


def _load_chain(context: ssl.SSLContext, settings: TlsSettings) -> None:
    both = settings.certificate + b"\n" + settings.key.reveal().encode()
    try:
        with _as_file(both) as path:
            # OpenSSL would ask for a passphrase on the terminal.
            context.load_cert_chain(path, password="")
    except (ssl.SSLError, ValueError) as error:
        raise Refusal(_why(error)) from None


def _why(error: Exception) -> str:
    match getattr(error, "reason", None):
        case "KEY_VALUES_MISMATCH" | "KEY_TYPE_MISMATCH":
            return "is not the certificate's key; give the pair that belongs together"
        case "EE_KEY_TOO_SMALL" | "CA_MD_TOO_WEAK" | "CA_KEY_TOO_SMALL":
            return "belongs to a certificate too weak for this host's OpenSSL; make a stronger one"
        case _:
            return "cannot be used with its certificate; see that both are whole"


@contextlib.contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Lend a file with this content, which OpenSSL wants; where possible one in memory."""
    if hasattr(os, "memfd_create") and os.path.isdir(_DESCRIPTORS):  # noqa: PTH112  # no file
        descriptor = os.memfd_create("chain")
        try:
            os.write(descriptor, content)
            yield f"{_DESCRIPTORS}/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.NamedTemporaryFile() as file:  # pragma: no cover  # not on Linux
        file.write(content)
        file.flush()
        yield file.name
