"""Fits a copy of peers' suites to what a mesh of ours can do by now.

They were ported when there were no pods, no MeshConfig and no token server of theirs beside them.
The expected results stay as they are: what changes is the mesh that the cases run in, and the place
that a request is sent from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from conformance.peers import localities
from conformance.peers.requests import FILES, complete

ADDITIONS = Path(__file__).parent / "additions"
"""Resources that a suite's own mesh lacks: FOLDER~FILE.yaml is added to FOLDER/FILE.yaml."""
_HOOK = """
import conformance.peers.pod_calls
Mesh.send = conformance.peers.pod_calls.sender(Mesh.send, PY, str(ROOT / "echo" / "client.py"))
"""
_WITHOUT_PODS = ("\nimport lib\n", "\nos.environ['MESHPROOF_PODS'] = 'off'\nimport lib\n")
_CHANGES = (
    (
        "istio/base.yaml",
        "labels: {app: a, version: v1, ",
        f"labels: {{app: a, version: v1, {localities.CALLER}, ",
    ),
    ("echo/echo.py", 'if kind == "tcp":', 'if kind == "tcp" or not first[:1].isupper():'),
    ("sim/sim2.yaml", "scheme: tls\n", "scheme: hello\n"),
    (
        "sim/base2.yaml",
        '"--http=18000"]',
        '"--http=18000", "--http=8000", "--http=9000", "--tcp=8080", "--tcp=9090"]',
    ),
    ("run_bookinfo.py", *_WITHOUT_PODS),
    ("run_sim_routes.py", *_WITHOUT_PODS),
)
"""File, text, new text. The echo app answers bytes on its TCP ports alone, but a port without a
protocol carries both, and Istio's own app tells them apart; TLS that reaches such a port is bytes,
since that app has no certificate there. Bookinfo's pods mount a volume at /tmp, where the copy with
its apps lies; Istio's simulation of routes resolves no names, and in a pod some of them have no
address."""
_CASES_WITH_KEYS = Path("istio", "security.yaml")
_KEY_SERVER_S_FILE = Path("istio", "tests", "common", "jwt", "jwks.json")
_KEYS = re.compile(r"\bjwks: '(\{.+\})'")


def adapt(folder: Path) -> Mapping[str, str]:
    """Change the copy in ``folder``; the result is what the runner needs in its environment."""
    for addition in sorted(ADDITIONS.glob("*.yaml")):
        base = folder.joinpath(*addition.name.split("~"))
        if base.exists():
            base.write_text(f"{base.read_text()}\n---\n{addition.read_text()}")
    library = folder / "lib.py"
    if library.exists():
        library.write_text(library.read_text() + _HOOK)
    for name, text, new_text in _CHANGES:
        file = folder / name
        if file.exists():
            file.write_text(file.read_text().replace(text, new_text))
    _write_keys(folder)
    for name in FILES:
        file = folder / name
        if file.exists():
            cases = list(complete(name, yaml.safe_load(file.read_text())))
            file.write_text(yaml.safe_dump(cases, sort_keys=False))
    return {"MESHPROOF_PODS": "auto"}


def _write_keys(folder: Path) -> None:
    """What the suites' server of token keys serves: the keys that other cases have in place."""
    cases = folder / _CASES_WITH_KEYS
    keys = _KEYS.search(cases.read_text()) if cases.exists() else None
    if keys is not None:
        file = folder / _KEY_SERVER_S_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(keys[1])
