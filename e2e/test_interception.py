"""In a pod no connection of an app passes its sidecar by, on a cluster as in pods of this machine.

Without pods it does: ``test_security_limits.py``.
"""

from __future__ import annotations

import json

import pytest

from e2e.payments.rules import EGRESS_BY_ADDRESS
from e2e.support.pods import require_pods
from meshproof.mesh import Mesh

MSGD = "http://10.100.35.27:9997/healthz"
DIRECT = """
import json, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(sys.argv[1], timeout=300)
    result = [answer.status, answer.headers.get("server", "")]
except urllib.error.HTTPError as refusal:
    result = [refusal.code, refusal.headers.get("server", "")]
except OSError:
    result = [0, ""]
print(json.dumps(result))
"""
"""Prints the status (0 for a connection that was closed) and the ``server`` of an answer."""
NAMES = """
import json, socket, sys
def addresses(name):
    try:
        return sorted({entry[4][0] for entry in socket.getaddrinfo(name, 80, socket.AF_INET)})
    except socket.gaierror:
        return []
print(json.dumps([addresses(name) for name in sys.argv[1:]]))
"""


@pytest.fixture(autouse=True)
def _in_pods(mesh: Mesh) -> None:
    require_pods(mesh)


def get(mesh: Mesh, url: str) -> tuple[int, str]:
    """What a program of svca gets that ignores ``http_proxy``."""
    done = mesh.exec("svca", ["python3", "-c", DIRECT, url])
    assert done.code == 0, done.stderr
    status, server = json.loads(done.stdout)
    return status, server


def test_a_program_that_ignores_its_proxy_is_intercepted(mesh: Mesh) -> None:
    assert get(mesh, "http://svcb/healthz") == (200, "envoy")


def test_a_connection_that_no_rule_opens_is_closed(mesh: Mesh) -> None:
    status, _ = get(mesh, MSGD)
    assert status in (0, 502)
    mesh.apply([EGRESS_BY_ADDRESS["v1"]])
    assert get(mesh, MSGD)[0] == 200, "the control: it is there"
    mesh.delete([EGRESS_BY_ADDRESS["v1"]])
    assert get(mesh, MSGD)[0] in (0, 502)


def test_names_are_those_of_kubernetes(mesh: Mesh) -> None:
    names = ("svcb", "svcb.payments", "svcb.payments.svc", "SVCB.payments.svc.cluster.local")
    done = mesh.exec("svca", ["python3", "-c", NAMES, *names, "nowhere.example.com"])
    *of_svcb, of_nobody = json.loads(done.stdout)
    assert len(of_svcb[0]) == 1, done.stderr
    assert of_svcb == [of_svcb[0]] * len(names)
    assert of_nobody == []
