"""The table of every key of ``--web.config.file``: exporter-toolkit's format.

The format: docs/web-configuration.md of github.com/prometheus/exporter-toolkit.
"""

from typing import Final

from exporter.config.fields import Field, Many, Section
from exporter.config.kinds import path, switch, whole
from exporter.web.access.kinds import (
    alternative_name,
    client_auth,
    curve,
    go_duration,
    header,
    pem,
    suite,
    version,
)

_MOST_REQUESTS: Final = 1_000_000

TLS: Final = Section(
    "TLS of the server.",
    (
        Field("cert", pem(), "The certificate and its chain, in PEM."),
        Field("key", pem(secret=True), "The certificate's key, in PEM."),
        Field("client_ca", pem(), "Authorities of client certificates, in PEM."),
        Field("cert_file", path(), "File of the certificate and its chain."),
        Field("key_file", path(), "File of the certificate's key."),
        Field("client_auth_type", client_auth(), "What is asked of clients.", "NoClientCert"),
        Field("client_ca_file", path(), "File of the authorities of client certificates."),
        Field("client_allowed_sans", Many(alternative_name()), "Who is let in, by name."),
        Field("min_version", version(), "Lowest version.", "TLS12"),
        Field("max_version", version(), "Highest version.", "TLS13"),
        Field("cipher_suites", Many(suite()), "Suites of TLS 1.2."),
        Field("prefer_server_cipher_suites", switch(), "Whose order of suites counts.", "true"),
        Field("curve_preferences", Many(curve()), "Curve of the key exchange."),
    ),
)

HEADERS: Final = Section(
    "Headers of every answer; empty: not sent.",
    (
        Field("Content-Security-Policy", header(), "What a page may load."),
        Field("X-Frame-Options", header("deny", "sameorigin"), "Who may frame a page."),
        Field("X-Content-Type-Options", header("nosniff"), "Whether types may be guessed."),
        Field("X-XSS-Protection", header(), "For old browsers."),
        Field("Strict-Transport-Security", header(), "That browsers keep to https."),
    ),
)

HTTP: Final = Section(
    "HTTP of the server.",
    (
        Field("http2", switch(), "Whether HTTP/2 is offered.", "true"),
        Field("headers", HEADERS, HEADERS.help),
    ),
)

RATE_LIMIT: Final = Section(
    "How many requests are answered, as a token bucket; for all clients together.",
    (
        Field("interval", go_duration(), "Time from one request to the next; 0: no limit.", "0"),
        Field("burst", whole(minimum=0, maximum=_MOST_REQUESTS), "Requests at once.", "0"),
    ),
)

USERS: Final = Section("Names of users, each with the bcrypt hash of a password.", ())
"""Its keys are the user's own: `reading` knows that."""

ROOT: Final = Section(
    "The web configuration.",
    (
        Field("tls_server_config", TLS, TLS.help),
        Field("http_server_config", HTTP, HTTP.help),
        Field("rate_limit", RATE_LIMIT, RATE_LIMIT.help),
        Field("basic_auth_users", USERS, USERS.help),
    ),
)
