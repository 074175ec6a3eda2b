"""Who is reached, and by whom: sources that nobody is, paths, exports, Gateways, tokens."""

from __future__ import annotations

import pytest

from meshproof.errors import Problem
from meshproof.istio04.lower import lower
from meshproof.lint.linter import find_all, find_warnings
from meshproof.lint.rules import HINTS
from meshproof.model.reader import read_text, with_default_namespace
from meshproof.translate.world import Service, ServicePort

PORT = (ServicePort("http", 80, 8080, "HTTP"),)
SERVICES = [Service(name, "default", {"app": name}, PORT) for name in ("svca", "svcb")]
PODS = [("default", {"app": "svca"}), ("default", {"app": "svcb"}), ("other", {"app": "far"})]
ACCOUNTS = {("default", "svca"), ("default", "svcb"), ("other", "far")}


def found(text: str, *rules: str, accounts: bool = True) -> list[Problem]:
    """Findings of these rules; of the mesh above."""
    resources = with_default_namespace(read_text(text, "rules.yaml"), "default")
    told = find_all(lower(resources, SERVICES), SERVICES, PODS, ACCOUNTS if accounts else ())
    assert all(problem.rule for problem in told)
    return [problem for problem in told if problem.rule in rules]


def policy(source: str = "", paths: str = '["/a"]') -> str:
    origin = f"from: [{{source: {{{source}}}}}], " if source else ""
    return f"""
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: p}}
spec:
  selector: {{matchLabels: {{app: svcb}}}}
  rules: [{{{origin}to: [{{operation: {{paths: {paths}}}}}]}}]
"""


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ("namespaces: [default, oter]", "namespaces[1]"),
        ("principals: [cluster.local/ns/default/sa/svcx]", "principals[0]"),
        ("principals: [cluster.local/ns/nowhere/sa/svca]", "principals[0]"),
    ],
)
def test_a_source_that_nobody_is(source: str, field: str) -> None:
    (problem,) = found(policy(source), "policy-source-unknown")
    assert problem.field == f"spec.rules[0].from[0].source.{field}"
    assert "one of" in problem.wanted
    assert found(policy(source), "policy-source-unknown", accounts=False) == []


@pytest.mark.parametrize(
    "source",
    [
        "namespaces: [other, istio-system]",
        'namespaces: ["oth*"]',
        "principals: [cluster.local/ns/other/sa/far]",
        'principals: ["*/sa/svcx", "*"]',
        "principals: [cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account]",
    ],
)
def test_a_source_that_somebody_may_be(source: str) -> None:
    assert found(policy(source), "policy-source-unknown") == []


def test_a_path_that_no_request_has() -> None:
    (problem,) = found(policy(paths='["/a", "admin"]'), "policy-path-impossible")
    assert problem.field == "spec.rules[0].to[0].operation.paths[1]"
    assert problem.remedy == "write /admin"


def test_paths_that_requests_have() -> None:
    assert found(policy(paths='["/a*", "*.html", "*", "/"]'), "policy-path-impossible") == []


def entry(export: str) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: e}}
spec:
  hosts: [msgd.test]
  resolution: DNS
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  {export}
"""


def test_an_entry_that_nobody_sees() -> None:
    (problem,) = found(entry("exportTo: [empty]"), "serviceentry-invisible")
    assert problem.field == "spec.exportTo"
    assert "exported to empty alone" in problem.found


@pytest.mark.parametrize("export", ["", "exportTo: [.]", 'exportTo: ["*"]', "exportTo: [other]"])
def test_an_entry_that_somebody_sees(export: str) -> None:
    assert found(entry(export), "serviceentry-invisible") == []


def gateway(hosts: str, *, bound: bool = True, rule_host: str = "shop.test") -> str:
    rule = f"""
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v}}
spec:
  hosts: [{rule_host}]
  gateways: [door]
  http: [{{route: [{{destination: {{host: svca}}}}]}}]
"""
    return f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: door}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: {hosts}}}]
""" + (rule if bound else "")


def test_a_gateway_that_no_rule_names_is_a_hint() -> None:
    (problem,) = found(gateway('["*"]', bound=False), "gateway-unused")
    assert problem.rule in HINTS
    resources = with_default_namespace(read_text(gateway('["*"]', bound=False), "r"), "default")
    assert find_warnings(resources, SERVICES, PODS) == []
    assert found(gateway('["*"]'), "gateway-unused") == []


@pytest.mark.parametrize("hosts", ["[other.test]", '["*.shop.test"]', "[default/other.test]"])
def test_a_gateway_that_serves_none_of_the_hosts(hosts: str) -> None:
    (problem,) = found(gateway(hosts), "gateway-host-mismatch")
    assert problem.field == "spec.gateways[0]"
    assert problem.resource == "VirtualService default/v"


@pytest.mark.parametrize("hosts", ['["*"]', "[shop.test]", '["*.test"]', '["./shop.test"]'])
def test_a_gateway_that_serves_one_of_the_hosts(hosts: str) -> None:
    assert found(gateway(hosts), "gateway-host-mismatch") == []
    assert found(gateway('["a.test"]', rule_host='"*"'), "gateway-host-mismatch") == []


TOKEN = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: t}
spec:
  selector: {matchLabels: {app: svcb}}
  jwtRules:
    - issuer: me
      jwks: '{"keys":[{"kty":"oct","k":"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"}]}'
---
"""


def test_a_token_that_nobody_asks_for_is_a_hint() -> None:
    for other in (
        "",
        policy(),
        policy('requestPrincipals: ["*"]').replace("app: svcb", "app: svca"),
    ):
        (problem,) = found(TOKEN + other, "token-not-required")
        assert problem.rule in HINTS
        assert problem.field == "spec.jwtRules"


@pytest.mark.parametrize("source", ['requestPrincipals: ["*"]', 'notRequestPrincipals: ["*"]'])
def test_a_token_that_a_policy_asks_for(source: str) -> None:
    assert found(TOKEN + policy(source), "token-not-required") == []
    when = policy().replace(
        "rules: [{", "rules: [{when: [{key: 'request.auth.claims[sub]', values: [a]}], "
    )
    assert found(TOKEN + when, "token-not-required") == []


RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: d, namespace: {where}}}
spec: {{host: {host}, trafficPolicy: {{loadBalancer: {{simple: RANDOM}}}}}}
"""
SVCB = "svcb.default.svc.cluster.local"


def test_a_destination_rule_where_nobody_looks() -> None:
    (problem,) = found(RULE.format(where="empty", host=SVCB), "destinationrule-out-of-sight")
    assert problem.field == "spec.host"
    assert problem.remedy == "put it into namespace default"


@pytest.mark.parametrize(
    ("where", "host"),
    [("default", "svcb"), ("other", SVCB), ("istio-system", SVCB), ("empty", "msgd.test")],
)
def test_a_destination_rule_where_somebody_looks(where: str, host: str) -> None:
    assert found(RULE.format(where=where, host=host), "destinationrule-out-of-sight") == []
