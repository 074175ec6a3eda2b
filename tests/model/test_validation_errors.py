"""A bad field -> the exact message: file, line, resource, field, found, wanted, remedy."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text
from tests.model.conftest import Refusal
from tests.model.rules import ROUTE_RULE, SERVICE_ENTRY, VIRTUAL_SERVICE

NOT_YET = "that meshproof's embedded mesh does not honour yet; leave it out, or run with MESH=kind"
VS_PATH = "f.yaml:9: VirtualService pay/svcb: spec.http[0]"


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (
            '      weight: "50"\n',
            f'{VS_PATH}.route[0].weight: is the string "50"; wanted a whole number; '
            "write weight: 50 without quotes",
        ),
        ("      weight: -1\n", f"{VS_PATH}.route[0].weight: is the number -1; wanted at least 0"),
        (
            "      weight: 0.5\n",
            f"{VS_PATH}.route[0].weight: is the number 0.5; wanted a whole number",
        ),
        (
            "    name: yes\n",
            f"{VS_PATH}.name: is yes, which YAML reads as a boolean; wanted a string; "
            'quote it: "yes"',
        ),
        (
            "    name: 1.0\n",
            f'{VS_PATH}.name: is the number 1.0; wanted a string; quote it: "1.0"',
        ),
        (
            "    headers: {request: {set: {x-y: n}}}\n",
            f"{VS_PATH}.headers.request.set.x-y: is n, which YAML reads as a boolean; "
            'wanted a string; quote it: "n"',
        ),
        ("    appendHeaders: {a: b}\n", f"{VS_PATH}.appendHeaders: is a field that Istio has "
         "removed; write headers.request.add instead"),
        ("    websocketUpgrade: true\n", f"{VS_PATH}.websocketUpgrade: is a field that Istio has "
         "removed; leave it out: every route takes the upgrade"),
        ("    fault: {abort: {percent: 10, httpStatus: 500}}\n", f"{VS_PATH}.fault.abort.percent: "
         "is a field that Istio has removed; write percentage.value instead"),
        ("    retry: {attempts: 1}\n", f"{VS_PATH}.retry: is not a field of HTTPRoute; "
         "did you mean retries?"),
        ("      subset: v1\n", f"{VS_PATH}.route[0].subset: is not a field of "
         "HTTPRouteDestination; subset belongs under destination"),
        ("    weight: 5\n", f"{VS_PATH}.weight: is not a field of HTTPRoute; "
         "weight belongs under route"),
        ("    hosts: [a]\n", f"{VS_PATH}.hosts: is not a field of HTTPRoute; "
         "hosts belongs to spec: check the indentation"),
        ("    retries: {attempts: 1, retryOn: \"5xx, 503\"}\n", f"{VS_PATH}.retries.retryOn: "
         'has " 503", which Istio refuses; wanted HTTP statuses and 5xx, cancelled, '
         "connect-failure, deadline-exceeded, envoy-ratelimited, gateway-error, "
         "http3-post-connect-failure, internal, refused-stream, reset, reset-before-request, "
         "resource-exhausted, retriable-4xx, retriable-headers, retriable-status-codes, "
         "unavailable, with commas alone between them"),
        ("    timeout: 5\n", f"{VS_PATH}.timeout: is the number 5; "
         "wanted a string such as 2s, 250ms or 1m30s"),
        ("    timeout: 0.5\n", f"{VS_PATH}.timeout: is the number 0.5; "
         "wanted a string such as 2s, 250ms or 1m30s"),
        ("    timeout: soon\n", f'{VS_PATH}.timeout: "soon" is not a duration; '
         "wanted a string such as 2s, 250ms or 1m30s"),
        ("    match: {uri: {exact: /}}\n", f"{VS_PATH}.match: is a mapping; wanted a list; "
         'begin each entry with "- "'),
        ("    match: [{uri: {exact: /, prefix: /a}}]\n", f"{VS_PATH}.match[0].uri: "
         "has more than one of exact, prefix, regex; wanted one"),
        ("    redirect: {uri: /a}\n", "f.yaml:7: VirtualService pay/svcb: spec.http[0]: "
         "has route and redirect of route, redirect, directResponse, delegate; wanted one"),
        ("    fault: {abort: {httpStatus: 42}}\n", f"{VS_PATH}.fault.abort.httpStatus: "
         "is the number 42; wanted at least 200"),
        ('    fault: {abort: {httpStatus: 500, percentage: {value: "5"}}}\n',
         f'{VS_PATH}.fault.abort.percentage.value: is the string "5"; wanted a number; '
         "write value: 5 without quotes"),
    ],
)  # fmt: skip
def test_a_field_of_a_virtual_service(refusal: Refusal, added: str, message: str) -> None:
    assert refusal(VIRTUAL_SERVICE + added) == [message]


def test_a_bad_regular_expression_is_refused_and_says_nothing_else(
    refusal: Refusal, capfd: pytest.CaptureFixture[str]
) -> None:
    message = (
        f'{VS_PATH}.match[0].uri.regex: "(" is not an RE2 regular expression: missing ): (; '
        "wanted what RE2 knows, which has no look-around and no back-references"
    )
    assert refusal(VIRTUAL_SERVICE + '    match: [{uri: {regex: "("}}]\n') == [message]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ("  ports: [{number: 70000, name: a}]\n", "f.yaml:7: ServiceEntry out: "
         "spec.ports[0].number: is the number 70000; wanted at most 65535"),
        ("  ports: [{number: 80, name: a, protocol: UDP}]\n", "f.yaml:7: ServiceEntry out: "
         "spec.ports[0].protocol: UDP is a value of Istio that meshproof's embedded mesh does "
         "not honour yet; wanted HTTP, HTTP2, GRPC, HTTPS, TLS, TCP, MONGO, REDIS or MYSQL"),
        ("  ports: [{number: 80, name: a, protocol: HTP}]\n", "f.yaml:7: ServiceEntry out: "
         'spec.ports[0].protocol: is the string "HTP"; wanted HTTP, HTTP2, GRPC, HTTPS, TLS, TCP, '
         "MONGO, REDIS or MYSQL; "
         "did you mean HTTP?"),
    ],
)  # fmt: skip
def test_a_field_of_a_service_entry(refusal: Refusal, ports: str, message: str) -> None:
    assert refusal(SERVICE_ENTRY + ports) == [message]


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("  route:\n  - weight: 50\n  - weight: 40\n", "f.yaml:6: RouteRule r: spec.route: "
         "the weights add up to 90; wanted 100"),
        ("  route:\n  - weight: 40\n", "f.yaml:6: RouteRule r: spec.route: "
         "the weight of the only route is 40; wanted 100, or none"),
        ("  http_req_timeout: {simple_timeout: {timeout: 5}}\n", "f.yaml:6: RouteRule r: "
         "spec.http_req_timeout.simple_timeout.timeout: is the number 5; "
         "wanted a string such as 2s, 250ms or 1m30s"),
        ("  http_req_retries: {simple_retry: {atempts: 5}}\n", "f.yaml:6: RouteRule r: "
         "spec.http_req_retries.simple_retry.atempts: is not a field of SimpleRetry; "
         "did you mean attempts?"),
        ("  append_headers:\n    x_y: no\n", "f.yaml:7: RouteRule r: spec.append_headers.x_y: "
         'is no, which YAML reads as a boolean; wanted a string; quote it: "no"'),
        ("  appendHeaders: {a: b}\n  append_headers: {c: d}\n", "f.yaml:7: RouteRule r: "
         "spec.append_headers: is defined twice, also as appendHeaders; keep one"),
        ("  l4_fault: {}\n", "f.yaml:6: RouteRule r: spec.l4_fault: "
         f"is a field of Istio 0.4 {NOT_YET}"),
    ],
)  # fmt: skip
def test_a_field_of_a_route_rule(refusal: Refusal, added: str, message: str) -> None:
    assert refusal(ROUTE_RULE + added) == [message]


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\n"


@pytest.mark.parametrize(
    "body",
    [
        "data: {password: 'hunter2!'}",
        "data: {password: 7755331}",
        "stringData: {token: 7755331}",
        "stringData: {token: 77.55331}",
        "data: hunter2",
        "stringData: [hunter2]",
        "stringData: {a: {b: hunter2}}",
        "stringData: {token: 'hunter2}",
        "stringData: {token: !vault hunter2}",
        "stringData: {token: *hunter2}",
        "stringData:\n  token: hunter2: x",
        "immutable: hunter2",
    ],
)
def test_a_secret_s_value_is_not_shown(body: str) -> None:
    with pytest.raises(Refused) as caught:
        read_text(SECRET + body + "\n", "f.yaml")
    assert "hunter2" not in str(caught.value)
    assert "55331" not in str(caught.value)
    assert "f.yaml:" in str(caught.value)


def test_the_problem_with_a_secret_is_still_named() -> None:
    with pytest.raises(Refused) as caught:
        read_text(SECRET + "stringData: {token: 7755331}\n", "f.yaml")
    assert str(caught.value) == (
        "f.yaml:4: Secret b/a: stringData.token: is a number, which is not shown; wanted a string;"
        " quote it"
    )


def test_values_of_other_kinds_are_shown() -> None:
    with pytest.raises(Refused, match="7755331"):
        read_text(SECRET.replace("Secret", "ConfigMap") + "data: {a: 7755331}\n", "f.yaml")
