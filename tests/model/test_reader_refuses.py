"""Bad input -> the exact message: file, line, resource, field, found, wanted, remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.model.kinds import KINDS

Refusal = Callable[..., list[str]]

NOT_YET = "that meshproof's embedded mesh does not honour yet; leave it out, or run with MESH=kind"
VS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb, namespace: pay}
spec:
  hosts: [svcb]
  http:
  - route:
    - destination: {host: svcb, subset: v1}
"""
VS_PATH = "f.yaml:9: VirtualService pay/svcb: spec.http[0]"
SE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: out}
spec:
  hosts: [msgd.test]
  resolution: DNS
"""
RR = """\
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: r}
spec:
  destination: {name: svcb}
"""


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
        ("    mirror_percent: 5\n", f"{VS_PATH}.mirror_percent: is a field of Istio {NOT_YET}"),
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
    assert refusal(VS + added) == [message]


def test_a_bad_regular_expression_is_refused_and_says_nothing_else(
    refusal: Refusal, capfd: pytest.CaptureFixture[str]
) -> None:
    message = (
        f'{VS_PATH}.match[0].uri.regex: "(" is not an RE2 regular expression: missing ): (; '
        "wanted what RE2 knows, which has no look-around and no back-references"
    )
    assert refusal(VS + '    match: [{uri: {regex: "("}}]\n') == [message]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("ports", "message"),
    [
        ("", "f.yaml:4: ServiceEntry out: spec.ports: is missing; wanted a list"),
        ("  ports: []\n", "f.yaml:7: ServiceEntry out: spec.ports: is an empty list; "
         "wanted at least one entry"),
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
    assert refusal(SE + ports) == [message]


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
         "spec.append_headers: stands twice, also as appendHeaders; keep one"),
        ("  l4_fault: {}\n", "f.yaml:6: RouteRule r: spec.l4_fault: "
         f"is a field of Istio 0.4 {NOT_YET}"),
    ],
)  # fmt: skip
def test_a_field_of_a_route_rule(refusal: Refusal, added: str, message: str) -> None:
    assert refusal(RR + added) == [message]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("apiVersion: v1\nkind: Servce", "f.yaml:2: Servce: kind: Servce is not a kind that "
         "meshproof knows; wanted one of " + ", ".join(sorted(KINDS)) + "; did you mean Service?"),
        ("apiVersion: networking.istio.io/v1alpha3\nkind: WasmPlugin",
         "f.yaml:2: WasmPlugin: kind: WasmPlugin is a kind of Istio " + NOT_YET),
        ("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway",
         "f.yaml:2: Gateway: kind: gateway.networking.k8s.io/v1 Gateway is a kind of "
         "the Gateway API " + NOT_YET),
        ("apiVersion: extensions/v1beta1\nkind: Deployment",
         "f.yaml:1: Deployment: apiVersion: extensions/v1beta1 was removed in Kubernetes 1.16; "
         "wanted apps/v1; write apiVersion: apps/v1 and give it a spec.selector"),
        ("apiVersion: v2\nkind: Service", "f.yaml:1: Service: apiVersion: Service has no version "
         "v2; wanted v1"),
        ("kind: Service", "f.yaml:1: Service: apiVersion: is missing; wanted v1"),
    ],
)  # fmt: skip
def test_a_kind(refusal: Refusal, head: str, message: str) -> None:
    assert refusal(head + "\n") == [message]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("{name: Svc}", 'f.yaml:3: Service Svc: metadata.name: is "Svc"; wanted at most 63 '
         "lower-case letters, digits and -, a letter first"),
        ("{}", "f.yaml:3: Service: metadata.name: is missing; wanted a name"),
        ("{name: 5}", "f.yaml:3: Service: metadata.name: is 5, which YAML reads as a number; "
         'wanted a string; quote it: "5"'),
        ("{name: a, labels: {v: yes}}", "f.yaml:3: Service a: metadata.labels.v: is yes, which "
         'YAML reads as a boolean; wanted a string; quote it: "yes"'),
        ("{name: a, label: {}}", "f.yaml:3: Service a: metadata.label: is not a field of metadata; "
         "did you mean labels?"),
        ("{name: a, namespace: b}", "f.yaml:3: Service b/a: metadata.namespace: is b; "
         "wanted pay, as -n says; call with -n b, or remove the field"),
    ],
)  # fmt: skip
def test_metadata(refusal: Refusal, metadata: str, message: str) -> None:
    text = f"apiVersion: v1\nkind: Service\nmetadata: {metadata}\nspec: {{ports: [{{port: 80}}]}}"
    assert refusal(text, namespace="pay") == [message]


def test_all_problems_of_all_documents_come_at_once_with_their_lines(refusal: Refusal) -> None:
    vs = VS.replace("[svcb]", "svcb") + "      wieght: 5\n"
    lines = refusal(f"{vs}---\n{RR}  route: [{{weight: 1}}]\n---\nkind: Job\n---\na: [\n")
    assert [line.split(":")[1] for line in lines] == ["5", "9", "16", "18", "21"]


def test_a_duplicate_key_does_not_hide_other_problems(refusal: Refusal) -> None:
    lines = refusal(VS + "      weight: 5\n      weight: a\n")
    assert lines == [
        "f.yaml:10: VirtualService pay/svcb: spec.http[0].route[0].weight: stands twice, "
        "in line 9 and line 10; keep one",
        'f.yaml:10: VirtualService pay/svcb: spec.http[0].route[0].weight: is the string "a"; '
        "wanted a whole number",
    ]


def test_a_resource_that_stands_twice_names_the_first_place(refusal: Refusal) -> None:
    assert refusal(f"{VS}---\n{VS.replace('v1}', 'v2}')}") == [
        "f.yaml:10: VirtualService pay/svcb: stands twice, the first time at f.yaml:1; keep one"
    ]


def test_a_field_beside_spec(refusal: Refusal) -> None:
    assert refusal(VS + "http: []\nextra: 1\n") == [
        "f.yaml:9: VirtualService pay/svcb: http: is not a field of VirtualService; wanted "
        "apiVersion, kind, metadata, spec; http belongs under spec: check the indentation",
        "f.yaml:10: VirtualService pay/svcb: extra: is not a field of VirtualService; wanted "
        "apiVersion, kind, metadata, spec",
    ]


def test_no_document_at_all(refusal: Refusal) -> None:
    assert refusal("# only a comment\n---\n") == ["f.yaml: holds no document"]
