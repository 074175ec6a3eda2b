"""Refusals of HTTPRoutes: by the CRD, or of fields that the embedded mesh does not honour."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from tests.gateway_api.http_routes import ECHO, TO_ECHO, route

P = "matches: [{path: {value: /p}}]"
REDIRECT = "{type: RequestRedirect, requestRedirect: {hostname: h}}"
REWRITE = "{type: URLRewrite, urlRewrite: {hostname: h}}"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("backendRefs: [{name: echo}]", "backendRefs[0].port: is missing"),
        ("backendRefs: [{name: echo.default, port: 80}]", "backendRefs[0].name: echo.default is a"),
        ("matches: [{path: {value: p}}]", 'path.value: "p" is not an absolute path'),
        ("matches: [{path: {type: RegularExpression, value: '('}}]", "not an RE2 regular"),
        ("matches: [{headers: [{type: RegularExpression, name: a, value: '('}]}]", "not an RE2"),
        ("matches: [{method: get}]", "did you mean GET?"),
        (
            f"filters: [{REDIRECT}], {TO_ECHO}",
            "backendRefs: cannot be combined with a RequestRedirect",
        ),
        (f"filters: [{REDIRECT}, {REWRITE}]", "have RequestRedirect and URLRewrite"),
        (f"filters: [{REWRITE}, {REWRITE}]", "have URLRewrite twice"),
        (
            "matches: [{path: {type: Exact, value: /p}}], filters: [{type: URLRewrite, urlRewrite:"
            "{path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]",
            "matches: are not one PathPrefix",
        ),
        ("filters: [{type: URLRewrite}]", "wanted urlRewrite alone"),
        (
            f"{P}, filters: [{{type: URLRewrite, "
            "urlRewrite: {path: {type: ReplaceFullPath}}}]",
            "wanted replaceFullPath alone",
        ),
        ("filters: [{type: ExtensionRef}]", "ExtensionRef is a value of the Gateway API that"),
        (f"backendRefs: [{{name: echo, port: 80, filters: [{REWRITE}]}}]", "at a backend"),
        ("timeouts: {request: 1s, backendRequest: 2s}", "is more than request"),
        ("timeouts: {request: 1.5s}", "is not a duration of the Gateway API"),
        ("sessionPersistence: {}", "is a field of the Gateway API that"),
    ],
)
def test_a_rule(rule: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        route(f"{{{rule}}}")
    assert len(refused.value.problems) == 1
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        (
            "{kind: ListenerSet, name: more}",
            "gateway.networking.k8s.io ListenerSet is a parent that",
        ),
        (ECHO.replace("}", ", sectionName: http}"), "sectionName: is set, and a Service has no"),
    ],
)
def test_a_parent(parent: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        route(f"{{{TO_ECHO}}}", parent)
