"""docs/security.md on a live mesh: who may reach what, and what is written to no file.

On a mesh of its own (tiny/), started with the most permissive umask.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from e2e.payments.tokens import Signer
from e2e.support.certificates import Authority
from e2e.support.cli_mesh import Cli, serve
from e2e.support.processes import processes_of_run, until
from e2e.support.secret_texts import holders, secret_texts
from e2e.support.tiny import build_mesh
from meshproof.embedded.context import RunPaths
from meshproof.embedded.mesh import EmbeddedMesh
from meshproof.host import sockets
from meshproof.mesh import STDIN, Source

NOBODY = 65534
WORD = f"word-{secrets.token_hex(12)}"
"""The value of a Secret that the app gets, and prints."""
pytestmark = pytest.mark.skipif(
    os.environ.get("MESH", "embedded") != "embedded",
    reason="about users, sockets and files of this machine",
)


PAIR = Authority().issue("web.test")
KEY, CHAIN = PAIR.key, PAIR.chain
TOKEN = Signer().token()
RULES = f"""
apiVersion: v1
kind: Secret
metadata: {{name: word, namespace: tiny}}
stringData: {{word: {WORD}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: tls, namespace: istio-system}}
type: kubernetes.io/tls
data:
  tls.key: {base64.b64encode(KEY.encode()).decode()}
  tls.crt: {base64.b64encode(CHAIN.encode()).decode()}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: web, namespace: tiny}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
    - port: {{number: 443, name: https, protocol: HTTPS}}
      hosts: [web.test]
      tls: {{mode: SIMPLE, credentialName: tls}}
    - port: {{number: 80, name: http, protocol: HTTP}}
      hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: way-in, namespace: tiny}}
spec:
  hosts: ["*"]
  gateways: [web]
  http: [{{route: [{{destination: {{host: web}}}}]}}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: payers, namespace: tiny}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  jwtRules:
    - issuer: payers.meshproof.test
      jwks: '{{"keys": [{json.dumps(Signer().jwk())}]}}'
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: tiny}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: web
          image: tiny:1
          env:
            - {{name: MODE, value: tells}}
            - name: WORD
              valueFrom: {{secretKeyRef: {{name: word, key: word}}}}
          ports: [{{name: http, containerPort: 8080}}]
"""


@pytest.fixture(scope="module")
def tiny() -> Iterator[EmbeddedMesh]:
    mesh = build_mesh(f"secure-{os.getpid()}")
    before = os.umask(0)
    try:
        mesh.up()
        mesh.apply([Source(STDIN, RULES)])
        yield mesh
    finally:
        mesh.down()
        os.umask(before)


@pytest.fixture
def cli(tiny: EmbeddedMesh) -> Iterator[Cli]:
    with serve(tiny) as cli:
        yield cli


def modes(folder: Path) -> dict[str, int]:
    """Permission bits of everything below a folder and of itself, by path."""
    paths = [folder, *folder.rglob("*")]
    return {str(p): stat.S_IMODE(p.lstat().st_mode) for p in paths if not p.is_symlink()}


def test_a_run_is_the_owners_alone_whatever_the_umask(tiny: EmbeddedMesh, cli: Cli) -> None:
    permissions = modes(tiny.run_dir)
    files = RunPaths(tiny.run_dir)
    ours = [files.xds, files.zipkin, files.control, files.admin(0), tiny.run_dir / "owner.json"]
    assert {str(path) for path in ours} <= set(permissions)
    # An app's own files and its socket are as it made them, in folders that nobody else enters.
    apps = {p for p in permissions if "/private/" in p or re.search(r"/s/a[0-9]+$", p)}
    assert {p: oct(m) for p, m in permissions.items() if p not in apps and m & 0o077} == {}
    assert all(
        permissions[p] == 0o700
        for p in permissions
        if Path(p).parent == tiny.run_dir and Path(p).is_dir()
    )
    assert stat.S_IMODE(tiny.run_dir.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can try as somebody else")
def test_another_user_reaches_no_socket_and_no_file(tiny: EmbeddedMesh, cli: Cli) -> None:
    files = RunPaths(tiny.run_dir)
    for path in (files.control, files.xds, files.zipkin, files.admin(0)):
        assert try_as_user(os.getuid(), path) == "taken", "the control: its owner does"
        assert try_as_user(NOBODY, path) == "PermissionError"
    assert try_as_user(NOBODY, tiny.run_dir / "owner.json") == "PermissionError"
    assert try_as_user(NOBODY, tiny.run_dir) == "PermissionError"


def try_as_user(user: int, path: Path) -> str:
    """What a process of a user gets that connects to a socket, or lists a folder."""
    # It drops what it may by itself: a fork of this process, full of threads, would not survive.
    code = f"""
import os, socket
os.setgroups([]); os.setgid({user}); os.setuid({user})
try:
    if os.path.isdir({str(path)!r}):
        os.listdir({str(path)!r})
    else:
        socket.socket(socket.AF_UNIX).connect({str(path)!r})
    print("taken")
except OSError as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return done.stdout.strip()


def test_nothing_listens_beyond_loopback(tiny: EmbeddedMesh) -> None:
    pids = [os.getpid(), *(p.pid for p in processes_of_run(tiny.run_id))]
    listeners = [one for one in sockets.find_listeners() if one.pid in pids]
    assert len(listeners) >= 4, "the control: gateway, sidecar and app are seen to listen"
    assert [str(one) for one in listeners if not one.ip.startswith("127.")] == []


def test_no_secret_is_in_a_dump_or_in_files_of_the_run(tiny: EmbeddedMesh, tmp_path: Path) -> None:
    """Nor in other evidence: ``test_secrets.py``."""
    with requests.Session() as session:
        session.trust_env = False
        url, headers = tiny.url("gateway"), {"Authorization": f"Bearer {TOKEN}"}
        answer = session.get(url, headers=headers, timeout=300)
        assert answer.text == WORD, "the control: the app has the secret"
        wrong = {"Authorization": f"Bearer {TOKEN[:-4]}AAAA"}
        assert session.get(url, headers=wrong, timeout=300).status_code == 401, "tokens are read"
    assert WORD in tiny.logs("web"), "the control: the app has printed it"
    tiny.dump(tmp_path)
    assert holders(tmp_path, b"my word is"), "the control: it is in the dump"
    run = (tiny.run_dir / "etc", tiny.run_dir / "logs")
    for what, text in secret_texts(WORD, TOKEN, KEY).items():
        assert holders(tmp_path, text) == [], what
        holding = [name for folder in run for name in holders(folder, text)]
        allowed = [log.name for log in tiny.log_files("web")] if "Secret" in what else []
        assert set(holding) <= set(allowed), what


def test_a_killed_replica_leaves_no_key_behind(tiny: EmbeddedMesh) -> None:
    """Keys are in memory only: no file of the run has one, even after a sidecar's restart."""
    (replica,) = (r for r in tiny.status().replicas if r.workload == "web")
    tiny.fault("kill", "web", part="sidecar")
    until(
        lambda: any(r.restarts > replica.restarts and r.ready for r in tiny.status().replicas),
        "its sidecar is back",
    )
    assert holders(tiny.run_dir, b"PRIVATE KEY") == []
