"""``meshproof convert``: YAML on standard output, what changed on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from meshproof.cli.main import app
from meshproof.errors import Refused, UsageError
from meshproof.model.reader import read_text

OLD = """
apiVersion: config.istio.io/v1alpha2
kind: EgressRule
metadata: {name: out}
spec: {destination: {service: m.test}, ports: [{port: 80, protocol: http}]}
"""


def test_standard_output_can_be_applied(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(OLD)
    done = CliRunner().invoke(app, ["convert", str(file), "-n", "pay"])
    assert done.exit_code == 0, done.output
    (resource,) = read_text(done.stdout, "made.yaml")
    assert resource.title == "ServiceEntry pay/out"
    warnings = done.stderr.splitlines()
    assert warnings
    assert all(line.startswith("changed: ") for line in warnings)


def test_a_file_that_is_refused_prints_nothing() -> None:
    done = CliRunner().invoke(app, ["convert", "-"], input=OLD.replace("m.test", "'*'"))
    assert isinstance(done.exception, Refused)
    assert done.stdout == ""


def test_without_a_file() -> None:
    assert isinstance(CliRunner().invoke(app, ["convert"]).exception, UsageError)


@pytest.mark.parametrize("file", sorted(Path("rules/v1alpha2").glob("*.yaml")), ids=str)
def test_the_tutorial_s_own_rules_convert(file: Path) -> None:
    done = CliRunner().invoke(app, ["convert", str(file)])
    assert done.exit_code == 0, done.output
    assert "config.istio.io" not in done.stdout


LIVE = """
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: config.istio.io/v1alpha2
  kind: EgressRule
  metadata:
    name: out
    namespace: pay
    uid: 6d6f
    resourceVersion: "7"
    generation: 1
    creationTimestamp: "2018-01-01T00:00:00Z"
    managedFields: [{manager: kubectl, operation: Apply}]
    annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
  spec: {destination: {service: m.test}, ports: [{port: 80, protocol: http}]}
  status: {}
"""


def test_what_a_cluster_prints_converts() -> None:
    done = CliRunner().invoke(app, ["convert", "-f", "-"], input=LIVE)
    assert done.exit_code == 0, done.output
    (resource,) = read_text(done.stdout, "made.yaml")
    assert resource.title == "ServiceEntry pay/out"
    assert "managedFields" not in done.stdout


ROUTE = """
apiVersion: v1
kind: Service
metadata: {name: svcb}
spec: {selector: {app: svcb}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb}
spec: {hosts: [svcb], http: [{route: [{destination: {host: svcb}}]}]}
"""


def test_virtual_services_as_routes_of_the_gateway_api() -> None:
    done = CliRunner().invoke(app, ["convert", "--to", "gateway-api", "-f", "-"], input=ROUTE)
    assert done.exit_code == 0, done.output
    (resource,) = read_text(done.stdout, "made.yaml")
    assert resource.title == "HTTPRoute default/svcb"


def test_what_stays_is_named() -> None:
    text = ROUTE.replace("hosts: [svcb]", "hosts: [svcb], gateways: [front]")
    done = CliRunner().invoke(app, ["convert", "--to", "gateway-api", "-f", "-"], input=text)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "not converted: VirtualService default/svcb: gateway front is not in" in done.stderr
