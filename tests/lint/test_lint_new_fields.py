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


ROOT = f"{HEAD}kind: VirtualService\nmetadata: {{name: root}}\nspec: {{hosts: [svcb], http: [{{delegate: D}}]}}\n"  # noqa: E501
PART = f"---\n{HEAD}kind: VirtualService\nmetadata: {{name: part, namespace: NS}}\nspec: {{SPEC}}\n"
TO = "http: [{route: [{destination: {host: svcb.default.svc.cluster.local}}]}]"


@pytest.mark.parametrize(
    ("delegate", "spec", "namespace", "said"),
    [
        ("{name: part}", TO, "default", []),
        ("{name: part, namespace: other}", TO, "other", []),
        (
            "{name: gone}",
            TO,
            "default",
            ["there is no VirtualService default/gone", "does nothing"],
        ),
        ("{name: part}", f"hosts: [svca], {TO}", "default", ["has hosts, so it is no delegate"]),
        (
            "{name: part, namespace: other}",
            f"exportTo: ['.'], {TO}",
            "other",
            ["is not exported to default"],
        ),
    ],
)
def test_delegation_that_leads_nowhere(
    lint: Lint, delegate: str, spec: str, namespace: str, said: list[str]
) -> None:
    text = ROOT.replace("D", delegate) + PART.replace("NS", namespace).replace("SPEC", spec)
    found = [p.found for p in lint(text)]
    assert len(found) == len(said)
    assert all(words in text for words, text in zip(said, found, strict=True))
