"""Delegates are no catch-alls, selected entries have endpoints, certificates must exist."""

from __future__ import annotations

import pytest

from tests.lint.conftest import Lint

HEAD = "apiVersion: networking.istio.io/v1\n"
DELEGATING = (
    f"{HEAD}kind: VirtualService\nmetadata: {{name: root}}\n"
    "spec: {hosts: [svcb], http: [{delegate: {name: part}}, {route: [{destination: "
    "{host: svcb}}]}]}\n---\n"
    f"{HEAD}kind: VirtualService\nmetadata: {{name: part}}\n"
    "spec: {http: [{match: [{uri: {prefix: /a}}], route: [{destination: {host: svca}}]}]}\n"
)


def test_what_stands_behind_a_delegate_is_not_dead(lint: Lint) -> None:
    assert lint(DELEGATING) == []


def test_a_selected_entry_may_have_any_subset(lint: Lint) -> None:
    assert (
        lint(
            f"{HEAD}kind: ServiceEntry\nmetadata: {{name: e}}\n"
            "spec: {hosts: [e.test], resolution: STATIC, ports: [{number: 80, name: http, "
            "protocol: HTTP}], workloadSelector: {labels: {app: svcb}}}\n---\n"
            f"{HEAD}kind: DestinationRule\nmetadata: {{name: e}}\n"
            "spec: {host: e.test, subsets: [{name: v1, labels: {version: v1}}]}\n"
        )
        == []
    )


GATEWAY = (
    f"{HEAD}kind: Gateway\nmetadata: {{name: gw}}\n"
    "spec: {servers: [{port: {number: 443, protocol: HTTPS}, hosts: ['*'], "
    "tls: {mode: SIMPLE, credentialName: shop}}]}\n"
)
SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: shop, namespace: NS}\nstringData: "


@pytest.mark.parametrize(
    ("secret", "count"),
    [
        ("", 1),
        (SECRET.replace("NS", "default") + "{tls.crt: c, tls.key: k}", 1),
        (SECRET.replace("NS", "istio-system") + "{tls.crt: c}", 1),
        (SECRET.replace("NS", "istio-system") + "{tls.crt: c, tls.key: k}", 0),
    ],
)
def test_a_server_without_its_certificate(lint: Lint, secret: str, count: int) -> None:
    found = lint(GATEWAY + secret)
    assert [p.field for p in found] == ["spec.servers[0].tls.credentialName"] * count
