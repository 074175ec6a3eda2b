"""VirtualServices as HTTPRoutes: the same routes in Envoy, or left as they are with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.gateway_api.convert import convert_virtual_services
from meshproof.gateway_api.from_virtual_services import Migration, migrate
from meshproof.model.reader import read_text
from meshproof.model.yaml_writer import documents_to_yaml
from meshproof.translate.from_kube import services_of
from tests.translate.builders import ECHO, vhost_routes, world

SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: default}
spec: {selector: {app: echo}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: far, namespace: other}
spec: {selector: {app: far}, ports: [{name: a, port: 80}, {name: b, port: 81}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo, namespace: default}
spec: {host: echo, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
"""
TO_ECHO = "route: [{destination: {host: echo}}]"
HOST = "echo.default.svc.cluster.local"


def _rule(http: str, more: str = "", hosts: str = "[echo]", name: str = "r") -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: {name}, namespace: default}}\n"
        f"spec: {{hosts: {hosts}{more}, http: [{http}]}}\n---\n"
    )


def _migrate(*rules: str) -> Migration:
    return migrate(read_text(SERVICES + "".join(rules), "rules.yaml"))


def _routes(text: str) -> list[dict[str, Any]]:
    """Of echo, as Envoy has them, without what names the rule."""
    resources = read_text(text, "rules.yaml")
    services = services_of(resources)
    rules = convert_virtual_services(resources, services)
    mesh = world(services=services, replicas=ECHO, virtual_services=rules)
    dropped = ("name", "metadata", "decorator")
    return [
        {k: v for k, v in route.items() if k not in dropped} for route in vhost_routes(mesh, HOST)
    ]


def _without_rules(text: str) -> str:
    return "---\n".join(d for d in text.split("---\n") if "kind: VirtualService" not in d)


@pytest.mark.parametrize(
    "http",
    [
        f"{{{TO_ECHO}}}",
        f"{{match: [{{uri: {{exact: /a}}}}], {TO_ECHO}}}, {{{TO_ECHO}, timeout: 1500ms}}",
        f"{{match: [{{headers: {{user: {{exact: jo}}}}}}], {TO_ECHO}}}, {{{TO_ECHO}}}",
        f"{{match: [{{headers: {{user: {{regex: j.*}}}}, method: {{exact: GET}}}}], {TO_ECHO}}}",
        f"{{{TO_ECHO}, headers: {{request: {{set: {{a: b}}, remove: [c]}}}}}}",
        f"{{{TO_ECHO}, headers: {{response: {{add: {{d: e}}}}}}}}",
        f"{{{TO_ECHO}, mirror: {{host: echo}}, mirrorPercentage: {{value: 12.5}}}}",
        "{redirect: {uri: /x, authority: a.test, scheme: https, redirectCode: 307}}",
        "{route: [{destination: {host: echo}, weight: 90}, {destination: {host: far.other.svc."
        "cluster.local, port: {number: 81}}, weight: 10}]}",
    ],
)
def test_envoy_has_the_same_routes(http: str) -> None:
    text = SERVICES + _rule(http)
    migration = migrate(read_text(text, "rules.yaml"))
    assert (migration.kept, migration.changes) == ([], [])
    converted = _without_rules(text) + documents_to_yaml(migration.documents)
    assert "HTTPRoute" in converted
    before, after = _routes(text), _routes(converted)
    matches = [[route["match"] for route in routes] for routes in (before, after)]
    assert matches[0] == matches[1]
    for old, new in zip(before, after, strict=True):
        assert _action(old) == _action(new)


def _action(route: dict[str, Any]) -> Any:
    """What becomes of a request while the backends exist: without one the Gateway API's answer is
    500, not 503."""
    action = {k: v for k, v in route.get("route", {}).items() if "not_found" not in k}
    return {k: v for k, v in route.items() if k not in ("match", "route")} | {"route": action}


def test_a_subset_becomes_a_service() -> None:
    http = (
        "{route: [{destination: {host: echo, subset: v1}, weight: 90},"
        " {destination: {host: echo, subset: v2}, weight: 10}]}"
    )
    migration = _migrate(_rule(http))
    first, second, route = migration.documents
    assert [d["metadata"]["name"] for d in (first, second)] == ["echo-v1", "echo-v2"]
    assert first["spec"]["selector"] == {"app": "echo", "version": "v1"}
    assert first["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": 8080}]
    (rule,) = route["spec"]["rules"]
    assert rule["backendRefs"] == [
        {"name": "echo-v1", "port": 80, "weight": 90},
        {"name": "echo-v2", "port": 80, "weight": 10},
    ]
    assert len(migration.changes) == 2
    assert read_text(documents_to_yaml(migration.documents), "made.yaml")


def test_a_prefix_that_ends_at_a_slash_is_said() -> None:
    http = f"{{match: [{{uri: {{prefix: /pay}}}}], {TO_ECHO}}}, {{{TO_ECHO}}}"
    migration = _migrate(_rule(http))
    assert migration.kept == []
    assert migration.changes == [
        "VirtualService default/r: prefix /pay ends at a slash now: it takes not /payx"
    ]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (_rule(f"{{{TO_ECHO}, fault: {{abort: {{httpStatus: 500}}}}}}"), "http[0].fault"),
        (_rule(f"{{{TO_ECHO}, retries: {{attempts: 1}}}}"), "http[0].retries"),
        (_rule(f"{{match: [{{sourceLabels: {{a: b}}}}], {TO_ECHO}}}"), "match[0].sourceLabels"),
        (_rule(f"{{match: [{{uri: {{exact: /A}}, ignoreUriCase: true}}], {TO_ECHO}}}"),
         "ignoreUriCase"),
        (_rule(f"{{{TO_ECHO}}}", ", gateways: [front]"), "gateway front"),
        (_rule(f"{{{TO_ECHO}}}", ', exportTo: ["."]'), "exportTo"),
        (_rule(f"{{{TO_ECHO}}}", hosts="[a.test]"), "a.test is no Service"),
        (_rule(f"{{{TO_ECHO}}}", hosts="[far.other.svc.cluster.local]"), "another namespace"),
        (_rule("{route: [{destination: {host: far.other.svc.cluster.local}}]}"), "several ports"),
        (_rule("{route: [{destination: {host: echo, subset: v9}}]}"), "has subset v9"),
        (_rule("{redirect: {uri: /x}}"), "http[0].redirect"),
        (_rule(f"{{match: [{{uri: {{regex: /a.*}}}}], {TO_ECHO}}}, "
               f"{{match: [{{uri: {{exact: /ab}}}}], {TO_ECHO}}}"), "an order of its own"),
    ],
)  # fmt: skip
def test_what_an_http_route_cannot_say_stays(rule: str, reason: str) -> None:
    migration = _migrate(rule)
    assert migration.documents == []
    ((resource, reasons),) = migration.kept
    assert resource.title == "VirtualService default/r"
    assert reason in "; ".join(reasons)


def test_two_rules_for_one_host_stay() -> None:
    migration = _migrate(_rule(f"{{{TO_ECHO}}}"), _rule(f"{{{TO_ECHO}}}", name="s"))
    assert [resource.name for resource, _ in migration.kept] == ["r", "s"]


def test_a_policy_by_host_keeps_its_subsets() -> None:
    rule = _rule("{route: [{destination: {host: echo, subset: v1}}]}")
    text = (SERVICES + rule).replace("host: echo, subsets", "host: echo, trafficPolicy: "
                                     "{loadBalancer: {simple: RANDOM}}, subsets")  # fmt: skip
    ((_, reasons),) = migrate(read_text(text, "rules.yaml")).kept
    assert "trafficPolicy" in reasons[0]


def test_a_header_s_prefix_is_an_expression_and_its_presence_any_text() -> None:
    http = f"{{match: [{{headers: {{a: {{prefix: x.y}}, b: {{}}}}}}], {TO_ECHO}}}"
    (route,) = _migrate(_rule(http)).documents
    headers = route["spec"]["rules"][0]["matches"][0]["headers"]
    assert [(h["type"], h["name"], h["value"]) for h in headers] == [
        ("RegularExpression", "a", "x\\.y.*"),
        ("RegularExpression", "b", ".*"),
    ]
