"""Keys of tokens from an outside host by https and from an issuer's OpenID configuration.

On a mesh of its own (tiny/): the outside host is a server of this test, which comes and goes.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from e2e.payments.tokens import Signer
from e2e.support.processes import until
from e2e.support.tiny import TINY
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.mesh import STDIN, Source
from meshproof.project import load_project
from meshproof.project_file import OutsideHost, RealAddress

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.environ.get("MESH", "embedded") != "embedded", reason="about local processes"
    ),
]
DISCOVERED, LATE = "https://issuer.test", "late.test"
POLICY = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: tiny}
spec:
  selector: {matchLabels: {app: web}}
  jwtRules:
    - issuer: %(discovered)s
    - issuer: late.test
      jwksUri: http://late.test/keys
"""
ROOTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: pilot-jwks-extra-cacerts, namespace: istio-system}
data: {extra.pem: %s}
"""


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page: dict[str, object] = {"keys": [Signer().jwk()]}
        if self.path == "/.well-known/openid-configuration":
            page = {"issuer": DISCOVERED, "jwks_uri": f"{DISCOVERED}/keys"}
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent: requests are the test's own."""


@contextmanager
def serve(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", port), Pages)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path) -> tuple[str, ssl.SSLContext]:
    """A self-signed certificate of issuer.test, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer.test")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("issuer.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    chain = signed.public_bytes(pem).decode()
    path = folder / "issuer.pem"
    path.write_text(chain + key.private_bytes(pem, form, serialization.NoEncryption()).decode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return chain, context


def ask(mesh: EmbeddedMesh, token: str) -> int:
    return mesh.curl("web", "http://web/", headers=[("authorization", f"Bearer {token}")]).status


@contextmanager
def tiny_mesh(issuer: int, late: int) -> Iterator[EmbeddedMesh]:
    """The mesh with both hosts declared at these ports of this machine."""
    project = load_project(TINY / "meshproof.yaml")
    hosts = {
        "issuer.test": OutsideHost(ports={443: RealAddress(ip="127.0.0.1", port=issuer)}),
        LATE: OutsideHost(ports={80: RealAddress(ip="127.0.0.1", port=late)}),
    }
    mesh = EmbeddedMesh(replace(project, outside=hosts), name="token-keys")
    mesh.up()
    try:
        yield mesh
    finally:
        mesh.down()


def test_keys_are_fetched_and_asked_for_again(tmp_path: Path) -> None:
    chain, context = certificate(tmp_path)
    discovered, late = Signer().token(DISCOVERED), Signer().token(LATE)
    with serve() as free:  # a port that nobody has, once the server has ended
        pass
    with serve(context=context) as port, tiny_mesh(port, free) as mesh:
        policy = Source(STDIN, POLICY % {"discovered": DISCOVERED})
        applied = mesh.apply([Source(STDIN, ROOTS % json.dumps(chain)), policy])
        (warning,) = applied.warnings
        assert warning.field == "spec.jwtRules[1].jwksUri"
        assert "no token of it is taken (401)" in warning.found
        assert ask(mesh, discovered) == 200
        assert ask(mesh, Signer("somebody else's").token(DISCOVERED)) == 401
        assert ask(mesh, late) == 401
        with serve(free):
            until(lambda: ask(mesh, late) == 200, "the late host's keys")
        assert ask(mesh, discovered) == 200


def test_an_authority_that_nobody_vouches_for(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with serve(context=context) as port, tiny_mesh(port, port) as mesh:
        applied = mesh.apply([Source(STDIN, POLICY % {"discovered": DISCOVERED})])
        assert any("certificate" in w.found for w in applied.warnings)
        assert ask(mesh, Signer().token(DISCOVERED)) == 401
        assert mesh.curl("web", "http://web/").status == 200
