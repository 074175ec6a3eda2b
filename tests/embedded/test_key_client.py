"""How the mesh asks outside hosts for keys: by their declared names, and nobody else."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from meshproof.embedded.token_keys.key_client import FetchError, KeyClient
from meshproof.model.reader import read_text
from meshproof.translate.world import Address, Outside

PAGES = {
    "/k": (200, "", "keys of {host}"),
    "/moved": (302, "/k", ""),
    "/away": (302, "http://elsewhere.test/k", ""),
    "/round": (302, "/round", ""),
    "/no": (503, "", "not now"),
}


class Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, location, text = PAGES[self.path]
        body = text.format(host=self.headers["Host"]).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if location:
            self.send_header("location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent: requests are the test's own."""


@contextmanager
def serve(context: ssl.SSLContext | None = None) -> Iterator[Address]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Address("127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(client: KeyClient, url: str) -> str:
    return asyncio.run(client.fetch(url, 10))


@pytest.fixture(scope="module")
def client() -> Iterator[KeyClient]:
    with serve() as address:
        yield KeyClient(lambda: [Outside("keys.test", {80: address, 81: address})])


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("http://keys.test/k", "keys of keys.test"),
        ("http://KEYS.test:81/k", "keys of keys.test:81"),
        ("http://keys.test/moved", "keys of keys.test"),
    ],
)
def test_a_declared_host_is_asked_by_its_name(client: KeyClient, url: str, body: str) -> None:
    assert fetch(client, url) == body


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://keys.test/no", "answered 503 'not now'"),
        ("http://keys.test/round", "more than 10 redirects"),
        ("http://keys.test/away", "elsewhere.test:80 is not a declared outside host"),
        ("http://keys.test:82/k", "keys.test:82 is not a declared outside host"),
        ("https://keys.test/k", "keys.test:443 is not a declared outside host"),
        ("me@keys.test", "is not a declared outside host"),
    ],
)
def test_why_there_is_no_answer(client: KeyClient, url: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason):
        fetch(client, url)


def certificate(folder: Path) -> Path:
    """A self-signed certificate of keys.test with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "keys.test")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("keys.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "keys.pem"
    path.write_bytes(
        signed.public_bytes(pem) + key.private_bytes(pem, form, serialization.NoEncryption())
    )
    return path


def test_https_takes_a_certificate_of_istio_s_further_authorities_alone(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    roots = path.read_text().split("-----BEGIN PRIVATE")[0].replace("\n", "\n    ")
    text = (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: pilot-jwks-extra-cacerts, namespace: istio-system}\n"
        f"data:\n  extra.pem: |\n    {roots}\n"
    )
    with serve(context) as address:
        client = KeyClient(lambda: [Outside("keys.test", {443: address})])
        with pytest.raises(FetchError, match="certificate"):
            fetch(client, "https://keys.test/k")
        client.trust(read_text(text, "f.yaml"))
        assert fetch(client, "https://keys.test/k") == "keys of keys.test"
        client.trust([])
        with pytest.raises(FetchError, match="certificate"):
            fetch(client, "https://keys.test/k")
