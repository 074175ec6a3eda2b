"""Status conditions of HTTPRoutes, and the warnings that say the same."""

from __future__ import annotations

from meshproof.gateway_api.status import reference_warnings, route_statuses
from tests.gateway_api.http_routes import SERVICES, TO_ECHO, route


def _conditions(rules: str, parents: str = "{group: '', kind: Service, name: echo}") -> list[str]:
    (status,) = route_statuses(route(rules, parents), SERVICES)
    return [
        f"{p.name} {c.type}={c.status} {c.reason} {c.message}"
        for p in status.parents
        for c in p.conditions
    ]


def test_a_route_that_is_in_force() -> None:
    assert _conditions(f"{{{TO_ECHO}}}") == [
        "echo Accepted=True Accepted Route was valid",
        "echo ResolvedRefs=True ResolvedRefs All references resolved",
    ]


def test_a_parent_that_does_not_exist() -> None:
    result = _conditions(f"{{{TO_ECHO}}}", "{group: '', kind: Service, name: gone}")
    assert result[0] == 'gone Accepted=False NoMatchingParent parent service: "gone" not found'


def test_backends_that_do_not_exist() -> None:
    missing = "{backendRefs: [{name: gone, port: 80}]}"
    assert _conditions(missing)[1] == (
        "echo ResolvedRefs=False BackendNotFound backend(gone.default.svc.cluster.local) not found"
    )
    kind = "{backendRefs: [{group: made.up, kind: Bucket, name: b}]}"
    assert " ResolvedRefs=False InvalidKind " in _conditions(kind)[1]
    mirror = "{type: RequestMirror, requestMirror: {backendRef: {name: gone, port: 80}}}"
    assert " BackendNotFound " in _conditions(f"{{filters: [{mirror}], {TO_ECHO}}}")[1]


def test_warnings_have_a_place() -> None:
    parents = "{group: '', kind: Service, name: echo}, {group: '', kind: Service, name: gone}"
    rules = "{backendRefs: [{name: nowhere, port: 80}]}"
    assert [
        str(w).partition(": HTTPRoute default/r: ")[2]
        for w in reference_warnings(route(rules, parents), SERVICES)
    ] == [
        'spec.parentRefs[1].name: parent service: "gone" not found; the route is for nobody',
        "spec.rules[0].backendRefs[0].name: backend(nowhere.default.svc.cluster.local) not found; "
        "its share is answered with 500",
    ]
