"""An explanation as text: outcomes first, then the steps."""

from __future__ import annotations

from meshproof.explain.render import render_text
from tests.explain.mesh_files import (
    explain_request,
    http,
    workloads,
)


def test_the_text_has_the_decision_first_then_why() -> None:
    rule = http(
        "{match: [{uri: {exact: /x}}], redirect: {uri: /y}}\n"
        "route: [{destination: {host: echo, subset: v1}, weight: 90}, "
        "{destination: {host: echo, subset: v2}, weight: 10}]"
    )
    two = workloads(client=1, echo_v1=2, echo_v2=1)
    lines = render_text(explain_request(rule, "http://echo/a", text=two).as_dict()).splitlines()
    assert lines[:4] == [
        "GET http://echo/a from shop/client, in a mesh without pods",
        "",
        "     90 %  shop/echo-v1 v1 answers (echo-v1-1, echo-v1-2)",
        "     10 %  shop/echo-v2 v2 answers (echo-v2-1)",
    ]
    assert lines[5].startswith(
        "client-1 outbound: VirtualService shop/echo spec.http[1] (rules.yaml:"
    )
    assert lines[6].startswith("  not VirtualService shop/echo spec.http[0].match[0] (rules.yaml:")
    assert lines[6].endswith("): path /a is not /x")
    assert "  90 %  subset v1 of echo.shop:80 (weight 90 of 100)" in lines
    assert "    echo-v1-1, echo-v1-2 inbound: to the app, as GET http://echo/a" in lines
