"""Labels and annotations that steer Istio: honoured, refused by name, or reported."""

from __future__ import annotations

import pytest

from meshproof.mesh import Source
from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.reader import read_resources, read_text
from meshproof.model.steering_keys import STEERING_KEYS
from tests.model.conftest import Refusal
from tests.model.manifests import DEPLOYMENT

NO_SIDECAR = "{sidecar.istio.io/inject: 'false'}"
POD = "{labels: {app: svca}}"
SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {{name: a, {0}}}\nspec: {{ports: [{{port: 80}}]}}"
)
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: a, {0}}}"
RULE = (
    "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: a, {0}}}\n"
    "spec: {{egress: [{{hosts: ['*/*']}}]}}"
)


def _pod(entry: str, field: str = "annotations") -> str:
    metadata = f"{{labels: {{app: svca, {entry}}}}}"
    if field == "annotations":
        metadata = f"{{labels: {{app: svca}}, annotations: {{{entry}}}}}"
    return DEPLOYMENT.replace(POD, metadata)


def test_what_is_refused_is_named_with_line_and_remedy(refusal: Refusal) -> None:
    (message,) = refusal(_pod("istio.io/dataplane-mode: ambient", "labels"))
    assert message == (
        "f.yaml:7: Deployment svca: spec.template.metadata.labels.istio.io/dataplane-mode: is "
        '"ambient", which meshproof\'s embedded mesh does not honour yet: the pods would have no '
        "sidecars, but a proxy of their node, and here there is none; leave it out, or run on a "
        "cluster (MESH=kind)"
    )


@pytest.mark.parametrize(
    "entry",
    [
        "traffic.sidecar.istio.io/excludeInterfaces: eth1",
        "sidecar.istio.io/interceptionMode: NONE",
        "sidecar.istio.io/rewriteAppHTTPProbers: 'false'",
        "inject.istio.io/templates: grpc-agent",
        "istio.io/rev: canary",
        "istio.io/dataplane-mode: ambient",
        "security.istio.io/tlsMode: disabled",
        "topology.istio.io/network: west",
    ],
)
def test_what_would_steer_a_pod_s_sidecar_is_refused(refusal: Refusal, entry: str) -> None:
    (message,) = refusal(_pod(entry))
    assert entry.partition(":")[0] in message
    assert "which meshproof's embedded mesh does not honour yet" in message
    assert "leave it out" in message


@pytest.mark.parametrize(
    "entry",
    [
        "sidecar.istio.io/inject: 'true'",
        "sidecar.istio.io/inject: 'false'",
        "traffic.sidecar.istio.io/includeOutboundIPRanges: '*'",
        "traffic.sidecar.istio.io/excludeInboundPorts: ''",
        "traffic.sidecar.istio.io/includeOutboundPorts: '80'",
        "sidecar.istio.io/proxyCPU: 100m",
        "istio.io/rev: default",
        "prometheus.io/scrape: 'true'",
    ],
)
def test_what_asks_for_nothing_else_is_accepted(entry: str) -> None:
    (resource,) = read_text(_pod(entry), "f")
    assert find_ignored_fields(resource) == []


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (NAMESPACE, "labels: {istio.io/dataplane-mode: ambient}"),
        (SERVICE, "annotations: {alpha.istio.io/kubernetes-serviceaccounts: a}"),
        (SERVICE, "labels: {istio.io/use-waypoint: w}"),
        (RULE, "labels: {istio.io/rev: canary}"),
    ],
)
def test_other_objects(refusal: Refusal, text: str, entry: str) -> None:
    (message,) = refusal(text.format(entry))
    assert ":3: " in message
    assert "which meshproof's embedded mesh does not honour yet" in message


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        (NAMESPACE, "labels: {istio-injection: enabled}"),
        (NAMESPACE, "labels: {istio-injection: disabled}"),
        (NAMESPACE, "labels: {istio-injection: enabled, istio.io/dataplane-mode: ambient}"),
        (NAMESPACE, "labels: {topology.istio.io/network: west}"),
        (SERVICE, "annotations: {networking.istio.io/exportTo: '*'}"),
        (RULE, "labels: {istio.io/rev: default}"),
    ],
)
def test_other_objects_accepted(text: str, entry: str) -> None:
    assert read_text(text.format(entry), "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            _pod("sidecar.istio.io/injekt: 'false'"),
            "sidecar.istio.io/injekt is not known, and has no effect; "
            "did you mean sidecar.istio.io/inject?",
        ),
        (
            DEPLOYMENT.replace(
                "svca}\nspec", "svca, labels: {sidecar.istio.io/inject: 'false'}}\nspec"
            ),
            "sidecar.istio.io/inject has no effect here: it is for pods",
        ),
        (
            DEPLOYMENT.replace("{name: svca}", "{name: svca, labels: {istio.io/rev: canary}}"),
            "istio.io/rev has no effect here: it is for pods and namespaces and Istio's resources "
            "and AuthorizationPolicies",
        ),
        (
            _pod("service.istio.io/canonical-name: shop", "labels"),
            "service.istio.io/canonical-name has no effect: metrics name a workload by its labels "
            "app and version",
        ),
        (
            NAMESPACE.format("annotations: {networking.istio.io/exportTo: '*'}"),
            "networking.istio.io/exportTo has no effect here: it is for Services",
        ),
    ],
)
def test_what_has_no_effect_is_reported(text: str, message: str) -> None:
    (resource,) = read_text(text, "f")
    assert [p.found for p in find_ignored_fields(resource)] == [message]


def test_on_a_cluster_nothing_is_refused_and_workloads_keep_their_model() -> None:
    source = Source("f", _pod("sidecar.istio.io/inject: 'false'"))
    (resource,) = read_resources([source], keep_unsupported=True)
    assert resource.spec is not None
    assert resource.unsupported == ()


def test_a_rule_of_another_control_plane_is_sent_as_it_is_to_a_cluster() -> None:
    source = Source("f", RULE.format("labels: {istio.io/rev: canary}"))
    (resource,) = read_resources([source], keep_unsupported=True)
    assert [p.field for p in resource.unsupported] == ["metadata.labels.istio.io/rev"]


def test_every_refusal_says_what_istio_would_do() -> None:
    rows = [row for rows in STEERING_KEYS.values() for row in rows]
    assert all(row.meaning or row.no_effect or row.honoured or row.wanted for row in rows)
