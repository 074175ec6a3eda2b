"""VirtualServices that Istio's webhook and CRD refuse, and what they take."""

from __future__ import annotations

import pytest

from tests.model.validation.judge import check, judge

KIND = "VirtualService"
TO = "route: [{destination: {host: cart}}]"
ROUTE = f"http: [{{{TO}}}]"


def http(fields: str) -> str:
    return f"{{hosts: [cart], http: [{{{fields}}}]}}"


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (f'{{hosts: ["*"], {ROUTE}}}', "hosts[0]", "every host"),
        (f'{{hosts: ["*"], gateways: [mesh, web], {ROUTE}}}', "hosts[0]", "every host"),
        (f'{{hosts: ["*.shop.test", cart.shop.test], {ROUTE}}}', "hosts[1]", "overlaps with *.sh"),
        (f"{{hosts: [a.test, a.test], {ROUTE}}}", "hosts[1]", "overlaps with a.test"),
        (f"{{hosts: [my_cart.test], {ROUTE}}}", "hosts[0]", 'label "my_cart" is invalid'),
        (f"{{hosts: [cart.test.7], {ROUTE}}}", "hosts[0]", "last label is a number"),
        ('{hosts: ["a.*.test"], ' + ROUTE + "}", "hosts[0]", 'label "*" is invalid'),
        ("{hosts: [cart]}", "spec", "has no routes"),
        (f"{{tcp: [{{{TO}}}]}}", "tcp", "delegate"),
        (f"{{hosts: [cart], gateways: [a/b/c], {ROUTE}}}", "gateways[0]", '"b/c" is not a DNS'),
        (f'{{hosts: [cart], gateways: ["*/web"], {ROUTE}}}', "gateways[0]", '"*" is not a DNS'),
        (f'{{hosts: [cart], gateways: ["we b"], {ROUTE}}}', "gateways[0]", 'label "we b"'),
        (f'{{hosts: [cart], exportTo: ["~"], {ROUTE}}}', "exportTo[0]", "not a namespace"),
        (f"{{hosts: [cart], exportTo: [a, a], {ROUTE}}}", "exportTo", "twice"),
        (f'{{hosts: [cart], exportTo: ["*", a], {ROUTE}}}', "exportTo", "beside others"),
        ("{hosts: [cart], tls: [{" + TO + "}]}", "tls[0]", "has no match"),
        ("{hosts: [a.test], tls: [{match: [{sniHosts: [b.test]}], " + TO + "}]}",
         "tls[0].match[0].sniHosts[0]", "within none of hosts"),
        ("{hosts: [a.test], tcp: [{match: [{port: 70000}], " + TO + "}]}",
         "tcp[0].match[0].port", "no port"),
        ("{hosts: [a.test], tcp: [{match: [{destinationSubnets: [x/8]}], " + TO + "}]}",
         "tcp[0].match[0].destinationSubnets[0]", "not a range"),
        ('{hosts: [a.test], tcp: [{route: [{destination: {host: "*"}}]}]}',
         "tcp[0].route[0].destination.host", "every host"),
    ],
)  # fmt: skip
def test_a_rule(spec: str, field: str, message: str) -> None:
    if field == "spec":
        assert judge(KIND, spec) == ["spec: has no routes"]
    else:
        check(KIND, spec, field, message)


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ("redirect: {}", "redirect", "changes nothing"),
        ("redirect: {scheme: ftp}", "redirect.scheme", "ftp"),
        ("redirect: {port: 81, derivePort: FROM_REQUEST_PORT}", "redirect.derivePort", "port"),
        ("redirect: {uri: /a, redirectCode: 200}", "redirect.redirectCode", "no redirect"),
        (f"redirect: {{uri: /a}}, {TO}", "route", "beside redirect"),
        ("redirect: {uri: /a}, directResponse: {status: 200}", "directResponse", "beside redirect"),
        ("directResponse: {status: 200}, rewrite: {uri: /}", "rewrite", "beside directResponse"),
        ("directResponse: {status: 99}", "directResponse.status", "no status"),
        ("delegate: {name: a}, redirect: {uri: /}", "redirect", "beside delegate"),
        ("timeout: 1s", "", "none of route"),
        (f"rewrite: {{}}, {TO}", "rewrite", "changes nothing"),
        (f"rewrite: {{uri: /, uriRegexRewrite: {{match: a, rewrite: b}}}}, {TO}",
         "rewrite.uriRegexRewrite", "beside uri"),
        (f"rewrite: {{uriRegexRewrite: {{match: a}}}}, {TO}",
         "rewrite.uriRegexRewrite.rewrite", "is empty"),
        (f'rewrite: {{authority: a}}, headers: {{request: {{set: {{Host: b}}}}}}, {TO}',
         "headers.request.set.Host", "again"),
        (f'headers: {{request: {{set: {{":path": /}}}}}}, {TO}', "headers.request.set.:path",
         "may be changed"),
        (f"headers: {{request: {{remove: [host]}}}}, {TO}", "headers.request.remove[0]",
         "may be changed"),
        (f"headers: {{response: {{add: {{Host: a}}}}}}, {TO}", "headers.response.add.Host",
         "may be changed"),
        (f'headers: {{request: {{add: {{a: "50%"}}}}}}, {TO}', "headers.request.add.a",
         "begins or ends no command"),
        (f"fault: {{}}, {TO}", "fault", "neither abort nor delay"),
        (f"fault: {{delay: {{fixedDelay: 0.1ms}}}}, {TO}", "fault.delay.fixedDelay", "less than"),
        (f"fault: {{delay: {{fixedDelay: 1.0005s}}}}, {TO}", "fault.delay.fixedDelay", "finer"),
        (f"fault: {{abort: {{httpStatus: 503, percentage: {{value: 0.00001}}}}}}, {TO}",
         "fault.abort.percentage.value", "is 1e-05"),
        (f"retries: {{attempts: 0, retryOn: 5xx}}, {TO}", "retries.attempts", "retries are off"),
        (f"retries: {{perTryTimeout: 1s}}, {TO}", "retries", "attempts is missing"),
        (f'retries: {{attempts: 1, retryOn: "5xx, reset"}}, {TO}', "retries.retryOn", '" reset"'),
        (f"timeout: 0s, {TO}", "timeout", "less than a millisecond"),
        (f"corsPolicy: {{allowMethods: [get]}}, {TO}", "corsPolicy.allowMethods[0]", '"get"'),
        (f"corsPolicy: {{maxAge: 500ms}}, {TO}", "corsPolicy.maxAge", "finer than a second"),
        (f"corsPolicy: {{exposeHeaders: ['']}}, {TO}", "corsPolicy.exposeHeaders[0]", "empty"),
        (f"match: [{{method: {{prefix: ''}}}}], {TO}", "match[0].method.prefix", "empty prefix"),
        (f"match: [{{uri: {{regex: ''}}}}], {TO}", "match[0].uri.regex", "empty expression"),
        (f"match: [{{uri: {{regex: '{'a' * 1025}'}}}}], {TO}", "match[0].uri.regex", "1025"),
        (f"match: [{{headers: {{a b: {{}}}}}}], {TO}", "match[0].headers.a b", "not the name"),
        (f"match: [{{sourceLabels: {{'a b': c}}}}], {TO}", "match[0].sourceLabels.a b", "key of"),
        (f"match: [{{sourceNamespace: a.b}}], {TO}", "match[0].sourceNamespace", "DNS label"),
        (f'match: [{{headers: {{"@request.auth.claims.a": {{}}}}}}], {TO}',
         "match[0].headers.@request.auth.claims.a", "only gateways"),
        ("route: [{destination: {host: cart, subset: v1.0}}]", "route[0].destination.subset",
         "DNS label"),
        ("route: [{destination: {host: cart, subset: v_1}}]", "route[0].destination.subset",
         "DNS label"),
        ("mirror: {host: a}, mirrors: [{destination: {host: b}}], " + TO, "mirrors", "mirror"),
        (f"mirrors: [{{percentage: {{value: 1}}}}], {TO}", "mirrors[0].destination", "missing"),
        (f"mirror: {{host: b}}, mirrorPercentage: {{value: 101}}, {TO}", "mirrorPercentage.value",
         "101"),
    ],
)  # fmt: skip
def test_a_route(fields: str, field: str, message: str) -> None:
    check(KIND, http(fields), f"http[0].{field}".removesuffix("."), message)


@pytest.mark.parametrize("size", [(1024 * 1024, 0), (1024 * 1024 + 1, 1)])
def test_a_body_of_more_than_a_mebibyte(size: tuple[int, int]) -> None:
    body = "x" * size[0]
    problems = judge(KIND, http(f"directResponse: {{status: 200, body: {{string: {body}}}}}"))
    assert len(problems) == size[1]


@pytest.mark.parametrize(
    "spec",
    [
        '{hosts: ["*"], gateways: [web], ' + ROUTE + "}",
        '{hosts: ["*-api.test", "*shop.test", 10.0.0.1, cart.], ' + ROUTE + "}",
        "{http: [{match: [{uri: {prefix: ''}}], " + TO + "}]}",
        http(f"match: [{{withoutHeaders: {{x: {{regex: '*'}}}}}}], {TO}"),
        http(f"match: [{{headers: {{x: {{}}, ':method': {{exact: a}}}}, port: 0}}], {TO}"),
        http(f"headers: {{request: {{set: {{Host: a, ':authority': a}}}}}}, {TO}").replace(
            "Host: a, ", ""
        ),
        http(f"fault: {{delay: {{percentage: {{value: 5}}}}}}, {TO}"),
        http(f"retries: {{attempts: 0}}, {TO}"),
        http(f"retries: {{attempts: 2, retryOn: '503,reset'}}, {TO}"),
        http("redirect: {derivePort: FROM_PROTOCOL_DEFAULT}"),
        http("redirect: {port: 8443}"),
        "{hosts: ['*.a.test'], gateways: [gw], tls: [{match: [{sniHosts: "
        "[outbound_.80_._.b.a.test]}], " + TO + "}]}",
    ],
)
def test_what_istio_takes(spec: str) -> None:
    assert judge(KIND, spec) == []


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (f"{{hosts: [cart], gateways: [gw.shop.svc.cluster.local], {ROUTE}}}", "gateways[0]",
         "old way"),
        ("{hosts: [10.0.0.1], tls: [{match: [{sniHosts: [10.0.0.1]}], " + TO + "}]}",
         "tls[0].match[0].sniHosts[0]", "most clients send in no SNI"),
        (http(f"mirror: {{host: a}}, mirrorPercent: 5, {TO}"), "http[0].mirrorPercent",
         "deprecated"),
        (http(f"fault: {{abort: {{percentage: {{value: 5}}}}}}, {TO}"), "http[0].fault.abort",
         "no status"),
        (http("directResponse: {status: 200, body: {string: " + "x" * 102401 + "}}"),
         "http[0].directResponse.body.string", "102401 bytes"),
    ],
)  # fmt: skip
def test_what_istio_warns_of(spec: str, field: str, message: str) -> None:
    assert judge(KIND, spec) == []
    check(KIND, spec, field, message, warnings=True)
