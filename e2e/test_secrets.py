"""No secret is in what a mesh writes for its users, or in what it says to them.

What else stays private on this machine: ``test_security.py``.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from e2e.payments.requests import no_failures
from e2e.payments.rules import EGRESS_BY_ADDRESS, RULES, deployments
from e2e.payments.tokens import Signer
from e2e.support.certificates import Authority, Pair
from e2e.support.cli_mesh import serve
from e2e.support.secret_texts import holders, secret_texts
from meshproof.host import private_files
from meshproof.mesh import Mesh, Source
from meshproof.pytest_plugin import Judge, StartLoad
from meshproof.report.evidence import ProofFolder
from meshproof.report.test_run import Run

WORD = f"word-{secrets.token_hex(12)}"
"""The value of a Secret that svca gets."""
PAIR: Pair = Authority().issue("pay.test")
TOKEN = Signer().token()
SECRETS = f"""
apiVersion: v1
kind: Secret
metadata: {{name: word, namespace: payments}}
stringData: {{word: {WORD}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: pay-tls, namespace: istio-system}}
type: kubernetes.io/tls
data:
  tls.key: {base64.b64encode(PAIR.key.encode()).decode()}
  tls.crt: {base64.b64encode(PAIR.chain.encode()).decode()}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: pay-tls, namespace: payments}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
    - port: {{number: 443, name: https, protocol: HTTPS}}
      hosts: [pay.test]
      tls: {{mode: SIMPLE, credentialName: pay-tls}}
"""


def svca_with_the_word() -> str:
    """svca's Deployment, with the Secret's value as its variable WORD."""
    return deployments("svca", {"WORD": "?"}).replace(
        "value: '?'", "valueFrom: {secretKeyRef: {name: word, key: word}}"
    )


def test_no_secret_is_in_dumps_logs_or_records(
    mesh: Mesh, run: Run, load: StartLoad, judge: Judge, tmp_path: Path
) -> None:
    sources = [Source("secrets.yaml", f"{SECRETS}---\n{svca_with_the_word()}")]
    mesh.apply([*sources, EGRESS_BY_ADDRESS["v1"], RULES / "payers_show_a_token.yaml"])
    printed = mesh.exec("svca", ["sh", "-c", 'printf %s "$WORD"']).stdout
    assert printed == WORD.encode(), "the control: the app has the secret"
    headers = {"authorization": f"Bearer {TOKEN}"}
    results = load(requests=20, users=1, headers=headers).wait()
    judge(no_failures("with a token", results.records, run.access_log(), sent=results.sent))
    evidence = ProofFolder(tmp_path, "secrets::dump")
    evidence.collect(mesh, run.access_log(), run.spans())
    names = holders(evidence.folder, results.run_id.encode())
    assert "access_log.ndjson.gz" in names, "the control: what is there is found"
    assert holders(evidence.folder, b"pay-tls"), "the control: the gateway has its key"
    for what, text in secret_texts(WORD, TOKEN, PAIR.key).items():
        assert holders(evidence.folder, text) == [], what


def test_a_secret_that_is_refused_is_not_told(mesh: Mesh, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: payments}\ndata: {a: %s}\n"
    private_files.write(bad, text % f"{WORD}!")
    with serve(mesh) as cli:
        code, output = cli.run("apply", "-f", str(bad))
    assert code == 2, output
    assert "data.a: is not base64" in output
    assert WORD not in output
