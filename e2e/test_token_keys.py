"""Keys of tokens from an outside host by https and from an issuer's OpenID configuration.

On a mesh of its own (tiny/): the outside host is a server of this test, which comes and goes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.payments.tokens import Signer
from e2e.support.certificates import Authority
from e2e.support.http_server import Handler, serve
from e2e.support.meshes import running
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


class Pages(Handler):
    def respond(self) -> None:
        page: dict[str, object] = {"keys": [Signer().jwk()]}
        if self.path == "/.well-known/openid-configuration":
            page = {"issuer": DISCOVERED, "jwks_uri": f"{DISCOVERED}/keys"}
        self.answer(json.dumps(page).encode())


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
    with running(EmbeddedMesh(replace(project, outside=hosts), name="token-keys")) as mesh:
        yield mesh


def test_keys_are_fetched_and_asked_for_again(tmp_path: Path) -> None:
    authority = Authority()
    tls = authority.issue("issuer.test").server_context(tmp_path)
    discovered, late = Signer().token(DISCOVERED), Signer().token(LATE)
    with serve(Pages) as free:  # a port that nobody has, once the server has ended
        pass
    with serve(Pages, tls=tls) as port, tiny_mesh(port, free) as mesh:
        policy = Source(STDIN, POLICY % {"discovered": DISCOVERED})
        applied = mesh.apply([Source(STDIN, ROOTS % json.dumps(authority.root)), policy])
        (warning,) = applied.warnings
        assert warning.field == "spec.jwtRules[1].jwksUri"
        assert "no token of it is taken (401)" in warning.found
        assert ask(mesh, discovered) == 200
        assert ask(mesh, Signer("somebody else's").token(DISCOVERED)) == 401
        assert ask(mesh, late) == 401
        with serve(Pages, port=free):
            until(lambda: ask(mesh, late) == 200, "the late host's keys")
        assert ask(mesh, discovered) == 200


def test_an_authority_that_nobody_vouches_for(tmp_path: Path) -> None:
    tls = Authority().issue("issuer.test").server_context(tmp_path)
    with serve(Pages, tls=tls) as port, tiny_mesh(port, port) as mesh:
        applied = mesh.apply([Source(STDIN, POLICY % {"discovered": DISCOVERED})])
        assert any("certificate" in w.found for w in applied.warnings)
        assert ask(mesh, Signer().token(DISCOVERED)) == 401
        assert mesh.curl("web", "http://web/").status == 200
