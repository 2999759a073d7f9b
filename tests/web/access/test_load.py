"""The file of --web.config.file: what is taken, and what every refusal says and where."""

import re
import ssl
from pathlib import Path

import pytest

from exporter.config import ConfigError
from exporter.web.access.load import load
from exporter.web.access.model import RateLimit, WebConfig
from exporter.web.access.seen import Seen
from tests.web.access.certificates import Pair, authority, issue, server

ALICE = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze"
PAIR = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    server().write(tmp_path, "server")
    authority().write(tmp_path, "ca")
    return tmp_path


def read(folder: Path, text: str, seen: Seen | None = None) -> WebConfig:
    path = folder / "web.yml"
    path.write_text(text)
    return load(path, {} if seen is None else seen)


def problems(folder: Path, text: str) -> list[str]:
    """What is wrong, each without the path of the file: `LINE: KEY: …`."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    prefix = f"{folder / 'web.yml'}:"
    lines = str(caught.value).splitlines()
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


def warnings(folder: Path, text: str) -> list[str]:
    return [f"{each.line}: {each.key}: {each.message}" for each in read(folder, text).warnings]


def tls(folder: Path, keys: str = "") -> ssl.SSLContext:
    context = read(folder, PAIR + keys).tls
    assert context is not None
    return context


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "---\n", "{}\n", "tls_server_config:\n", "tls_server_config: {}\n", "~\n"],
)
def test_an_empty_file_asks_for_nothing(folder: Path, text: str) -> None:
    assert read(folder, text) == WebConfig()


def test_the_documented_example_works_as_it_is(folder: Path) -> None:
    config = read(
        folder,
        f"""\
# TLS for the server, and two people who may log in.
tls_server_config:
  cert_file: server.crt
  key_file: server.key

basic_auth_users:
  alice: {ALICE}
  bob: $2y$10$hLqFl9jSjoAAy95Z/zw8Ye8wkdMBM8c5Bn1ptYqP/AXyV0.oy0S8m

# Twenty requests at once, then one a second.
rate_limit:
  interval: "1s"
  burst: 20
""",
    )
    assert isinstance(config.tls, ssl.SSLContext)
    assert config.users.keys() == {b"alice", b"bob"}
    assert config.users[b"alice"].reveal() == ALICE
    assert config.rate_limit == RateLimit(1.0, 20)
    assert config.warnings == ()
    assert ALICE not in repr(config)


def test_every_documented_key_is_known(folder: Path) -> None:
    config = read(
        folder,
        """\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: "RequireAndVerifyClientCert"
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.internal, "10.0.0.1", ops@example.org, spiffe://x/y]
  min_version: "TLS12"
  max_version: "TLS13"
  cipher_suites:
  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  - TLS_AES_128_GCM_SHA256
  prefer_server_cipher_suites: true
  curve_preferences: [CurveP256]
http_server_config:
  http2: false
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000; includeSubDomains
    X-Content-Type-Options: nosniff
    X-XSS-Protection: 1
    Content-Security-Policy: "default-src 'self' *.example.net"
basic_auth_users: {}
rate_limit: {interval: 0, burst: 0}
""",
    )
    assert config.tls is not None
    assert config.tls.verify_mode is ssl.CERT_REQUIRED
    assert config.headers == {
        "X-Frame-Options": "deny",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-XSS-Protection": "1",
        "Content-Security-Policy": "default-src 'self' *.example.net",
    }
    assert config.rate_limit is None
    assert [warning.key for warning in config.warnings] == ["basic_auth_users"]


def inline(pair: Pair) -> str:
    def block(text: str) -> str:
        return "|\n" + "".join(f"    {line}\n" for line in text.splitlines())

    return f"tls_server_config:\n  cert: {block(pair.cert_pem)}  key: {block(pair.key_pem)}"


def test_certificates_may_stand_in_the_file_itself(folder: Path) -> None:
    own_authority = inline(server()) + "  client_auth_type: VerifyClientCertIfGiven\n"
    context = read(folder, own_authority + "  client_ca_file: ca.crt\n").tls
    assert context is not None
    assert context.verify_mode is ssl.CERT_OPTIONAL
    assert len(context.get_ca_certs()) == 1


def test_one_may_stand_there_and_the_other_in_a_file(folder: Path) -> None:
    text = inline(server()).partition("  key:")[0] + "  key_file: server.key\n"
    assert read(folder, text).tls is not None


def test_without_authorities_those_of_the_host_count(folder: Path) -> None:
    context = tls(folder, "  client_auth_type: RequireAndVerifyClientCert\n")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert read(folder, PAIR + "  client_auth_type: ''\n").tls is not None


def test_files_are_relative_to_the_file_that_names_them(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    seen: Seen = {}
    config = read(inner, PAIR.replace("server.", "../server."), seen)
    assert config.tls is not None
    assert {path.name for path in seen} == {"web.yml", "server.crt", "server.key"}
    assert None not in seen.values()


def test_versions_and_order_are_honoured(folder: Path) -> None:
    context = tls(folder, "  min_version: TLS13\n  prefer_server_cipher_suites: false\n")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert not context.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    context = tls(folder, "  max_version: TLS12\n")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.maximum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_CIPHER_SERVER_PREFERENCE


def ciphers(context: ssl.SSLContext) -> list[str]:
    return [each["name"] for each in context.get_ciphers() if each["protocol"] != "TLSv1.3"]


def test_suites_are_those_that_were_named_in_their_order(folder: Path) -> None:
    context = tls(
        folder,
        "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_256_GCM_SHA384, "
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]\n",
    )
    assert ciphers(context) == ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA"]


def test_suites_of_tls_13_alone_leave_nothing_else(folder: Path) -> None:
    context = tls(folder, "  cipher_suites: [TLS_CHACHA20_POLY1305_SHA256]\n")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3


TLS_PROBLEMS = {
    "min_version: TLS10": "'TLS10' cannot be honoured: TLS 1.0 and 1.1 are withdrawn (RFC 8996) "
    "and not served; write TLS12 or TLS13",
    "max_version: TLS1.3": "'TLS1.3' is not a TLS version; did you mean TLS13?",
    "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]": "",
    "curve_preferences: [P256]": "'P256' is not a curve; did you mean CurveP256?",
    "curve_preferences: [CurveP256, X25519]": "cannot be honoured: this Python's TLS can be told "
    "one curve, not several in an order; keep one of them, or leave the key out for OpenSSL's own "
    "order",
    "client_auth_type: RequireAnyClientCert": "'RequireAnyClientCert' cannot be honoured: it "
    "takes any certificate, even one that the client has just made, and what is not verified is "
    "not taken here; write RequireAndVerifyClientCert with client_ca_file",
    "client_auth_type: RequireVerify": "",
    "client_ca_file: ca.crt": "is NoClientCert beside authorities of client certificates, which "
    "would be for nothing; write RequireAndVerifyClientCert, or remove them",
    "client_allowed_sans: [a]": "needs verified certificates; write client_auth_type: "
    "RequireAndVerifyClientCert, without which a client needs none, or may write its names itself",
    "client_allowed_sans: []": "is an empty list, so nobody could connect; write a name or leave "
    "the key out",
    "prefer_server_cipher_suites: maybe": "'maybe' is neither true nor false; write one of them",
    "min_versoin: TLS12": "is not a known key; did you mean min_version?",
}


@pytest.mark.parametrize("key", TLS_PROBLEMS)
def test_what_cannot_be_honoured_is_named(folder: Path, key: str) -> None:
    (told,) = problems(folder, f"{PAIR}  {key}\n")
    name = key.partition(":")[0]
    place, _, message = told.partition(": ")
    assert place == ("4" if name != "client_ca_file" else "1")
    path, _, message = message.partition(": ")
    assert path.startswith("tls_server_config.")
    assert name in path or name == "client_ca_file"
    assert message == TLS_PROBLEMS[key] or not TLS_PROBLEMS[key]
    assert ";" in message


def test_versions_have_to_leave_something(folder: Path) -> None:
    assert problems(folder, f"{PAIR}  min_version: TLS13\n  max_version: TLS12\n") == [
        "4: tls_server_config.min_version: is above max_version; nothing is between them"
    ]
    suites = "  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"
    assert problems(folder, PAIR + suites) == [
        (
            "5: tls_server_config.cipher_suites: has only suites of TLS 1.3, and max_version is "
            "below; nothing is left"
        )
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "tls_server_config:\n  cert_file: server.crt\n",
            (
                "1: tls_server_config.key_file: is missing; write key_file: and a path, or "
                "key: and PEM"
            ),
        ),
        (
            "tls_server_config:\n  min_version: TLS12\n  key_file: server.key\n",
            (
                "1: tls_server_config.cert_file: is missing; write cert_file: and a path, or "
                "cert: and PEM"
            ),
        ),
        (
            PAIR.replace("server.key", "gone.key"),
            (
                "3: tls_server_config.key_file: points to a file that does not exist; create it or "
                "correct the path"
            ),
        ),
        (
            PAIR.replace("server.crt", "."),
            "2: tls_server_config.cert_file: points to a directory; write the path of a file",
        ),
        (
            PAIR.replace("server.key", "server.crt"),
            (
                "3: tls_server_config.key_file: has no private key in PEM (-----BEGIN PRIVATE "
                "KEY-----)"
            ),
        ),
        (
            PAIR.replace("server.crt", "server.key"),
            (
                "2: tls_server_config.cert_file: has no certificate in PEM (-----BEGIN "
                "CERTIFICATE-----)"
            ),
        ),
        (
            PAIR.replace("server.key", "ca.key"),
            (
                "3: tls_server_config.key_file: is not the certificate's key; give the pair that "
                "belongs together"
            ),
        ),
        (
            f"{PAIR}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.key\n",
            (
                "5: tls_server_config.client_ca_file: has no certificate in PEM (-----BEGIN "
                "CERTIFICATE-----)"
            ),
        ),
        (
            f"{PAIR}  cert: abc\n",
            "4: tls_server_config.cert: is given beside cert_file; keep one of them",
        ),
        (
            "tls_server_config: [cert_file]\n",
            "1: tls_server_config: is a list, not a mapping of keys and values",
        ),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: never\n",
            (
                "3: http_server_config.headers.X-Frame-Options: 'never' is not possible for this "
                "header; write deny or sameorigin"
            ),
        ),
        (
            "http_server_config:\n  headers:\n    X-Powered-By: us\n",
            (
                "3: http_server_config.headers.X-Powered-By: is not a known key; known here are "
                "Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, "
                "X-XSS-Protection, Strict-Transport-Security"
            ),
        ),
        (
            'http_server_config:\n  headers:\n    X-XSS-Protection: "a\\r\\nSet-Cookie: x"\n',
            (
                "3: http_server_config.headers.X-XSS-Protection: 'a\\r\\nSet-Cookie: x' cannot be "
                "sent in a header; write plain ASCII on one line"
            ),
        ),
        (
            "rate_limit: {interval: 1, burst: 5}\n",
            (
                "1: rate_limit.interval: '1' has no unit, and other exporters take it for "
                "nanoseconds; write it like 1s"
            ),
        ),
        (
            "rate_limit: {interval: 1s}\n",
            "1: rate_limit.burst: is 0, so every request would be refused; write at least 1",
        ),
        (
            "basic_auth_users:\n  'a:b': x\n",
            "2: basic_auth_users.a…: has a colon in the user's name, which ends it in HTTP",
        ),
        (
            "auth_excluded_paths: [/-/healthy]\n",
            (
                "1: auth_excluded_paths: is not a known key; known here are tls_server_config, "
                "http_server_config, rate_limit, basic_auth_users"
            ),
        ),
        (
            "key_file: server.key\n",
            "1: key_file: is not a known key; it belongs under tls_server_config",
        ),
    ],
)
def test_every_refusal_says_where_and_what_to_do(folder: Path, text: str, told: str) -> None:
    assert problems(folder, text) == [told]


def test_every_problem_is_told_at_once(folder: Path) -> None:
    lines = problems(
        folder,
        """\
tls_server_config:
  cert_file: gone.crt
  key_file: gone.key
  min_version: TLS11
basic_auth_users:
  alice: plain text
rate_limit: {interval: soon, burst: -1}
unknown: 1
""",
    )
    assert [line.partition(": ")[0] for line in lines] == ["2", "3", "4", "6", "7", "7", "8"]


def test_a_password_in_place_of_its_hash_is_not_repeated(folder: Path) -> None:
    (told,) = problems(folder, "basic_auth_users:\n  alice: hunter2hunter2\n")
    assert told.startswith("2: basic_auth_users.alice: is not a bcrypt hash ($2y$10$…")
    assert "hunter2" not in told


@pytest.mark.parametrize("cost", ["03", "19", "31", "99"])
def test_a_cost_that_takes_too_long_is_refused(folder: Path, cost: str) -> None:
    (told,) = problems(
        folder, f"basic_auth_users:\n  alice: {ALICE.replace('$10$', f'${cost}$')}\n"
    )
    assert f"has a cost of {int(cost)}; it must be from 4 to 18" in told


def test_keys_that_nobody_can_open_are_refused(folder: Path) -> None:
    (folder / "server.key").write_text(server().encrypted_key_pem(b"secret"))
    (told,) = problems(folder, PAIR)
    assert "has an encrypted key, and there is nobody to ask for its passphrase" in told
    (folder / "server.key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n")
    (told,) = problems(folder, PAIR)
    assert told.startswith("3: tls_server_config.key_file: cannot be used with its certificate")


def test_damaged_and_weak_certificates_are_refused(folder: Path) -> None:
    (folder / "server.crt").write_text(server().cert_pem.replace("M", "N", 1))
    (told,) = problems(folder, PAIR)
    assert told == (
        "2: tls_server_config.cert_file: has a certificate that is damaged; copy it again"
    )
    issue("localhost", rsa_bits=1024).write(folder, "server")
    (told,) = problems(folder, PAIR)
    assert "belongs to a certificate too weak for this host's OpenSSL; make a stronger one" in told


def test_what_is_only_worth_a_line_in_the_log(folder: Path) -> None:
    (folder / "server.key").chmod(0o644)
    more = (
        "  client_auth_type: RequestClientCert\n  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n"
    )
    text = f"{PAIR}{more}http_server_config: {{http2: true}}\n"
    lines = warnings(folder, f"{text}basic_auth_users:\n  alice: {ALICE.replace('$10$', '$16$')}\n")
    assert [line.partition(": ")[2].partition(": ")[0] for line in lines] == [
        "tls_server_config.key_file",
        "tls_server_config.client_auth_type",
        "tls_server_config.cipher_suites[0]",
        "http_server_config.http2",
        "basic_auth_users.alice",
    ]
    assert "lets everybody in" in lines[1]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("500ms", 0.5), ("1m30s", 90), ("1.5h", 5400), ("20us", 2e-5), ("3µs", 3e-6)],
)
def test_durations_are_gos(folder: Path, text: str, seconds: float) -> None:
    limit = read(folder, f"rate_limit: {{interval: {text}, burst: 1}}\n").rate_limit
    assert limit is not None
    assert limit.interval == pytest.approx(seconds)


def test_no_file_is_told_as_one(tmp_path: Path) -> None:
    path = tmp_path / "gone.yml"
    seen: Seen = {}
    with pytest.raises(ConfigError) as caught:
        load(path, seen)
    told = f"{path}:1: (file): does not exist; create it or correct --web.config.file"
    assert str(caught.value) == told
    assert seen == {path: None}


def test_the_example_of_the_documentation_works(folder: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "security.md").read_text()
    (example,) = re.findall(r"```yaml\n# web.yml\n(.*?)```", page, re.DOTALL)
    config = read(folder, example.replace("$2y$10$...", ALICE))
    assert config.tls is not None
    assert config.users.keys() == {b"prometheus"}
    assert config.warnings == ()
