"""Certificates of every kind, made when they are needed; none is kept that could expire."""

import datetime as dt
import functools
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    @property
    def cert_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self._key_pem(serialization.NoEncryption())

    def encrypted_key_pem(self, passphrase: bytes) -> str:
        return self._key_pem(serialization.BestAvailableEncryption(passphrase))

    def _key_pem(self, encryption: serialization.KeySerializationEncryption) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        ).decode()

    def write(self, folder: Path, name: str) -> "Pair":
        (folder / f"{name}.crt").write_text(self.cert_pem)
        key = folder / f"{name}.key"
        key.touch(mode=0o600)
        key.write_text(self.key_pem)
        return self


def issue(
    name: str,
    issuer: Pair | None = None,
    *,
    names: Sequence[x509.GeneralName] = (),
    authority: bool = False,
    usage: x509.ObjectIdentifier | None = None,
    expired: bool = False,
    rsa_bits: int = 0,
) -> Pair:
    """A certificate by an issuer, or by itself."""
    key: CertificateIssuerPrivateKeyTypes = ec.generate_private_key(ec.SECP256R1())
    if rsa_bits:
        key = rsa.generate_private_key(65537, rsa_bits)
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now - _DAY if expired else now + 30 * _DAY)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@functools.cache
def authority(name: str = "test authority") -> Pair:
    return issue(name, authority=True)


@functools.cache
def server(name: str = "localhost") -> Pair:
    """A certificate for the loopback."""
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    return issue(name, authority(), names=names, usage=usage)


CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH


@functools.cache
def client(issuer: Pair | None = None, *names: x509.GeneralName, expired: bool = False) -> Pair:
    """A client's certificate, by the authority of all tests where no other is named."""
    return issue("client", issuer or authority(), names=names, usage=CLIENT_AUTH, expired=expired)
