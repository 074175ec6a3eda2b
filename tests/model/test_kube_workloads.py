"""Deployments: what is kept, and what is refused."""

from __future__ import annotations

import pytest

from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.reader import read_text
from tests.model.conftest import Refusal
from tests.model.manifests import CONTAINER, DEPLOYMENT


def test_what_a_deployment_says_is_kept() -> None:
    text = DEPLOYMENT.replace("spec:\n  selector", "spec:\n  replicas: 3\n  selector") + (
        "        args: [-v]\n"
        "        ports: [{name: http, containerPort: 8080}]\n"
        "        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 2}\n"
        "        lifecycle: {preStop: {exec: {command: [sleep, '2']}}}\n"
        "      serviceAccountName: payer\n"
        "      terminationGracePeriodSeconds: 5\n"
    )
    (resource,) = read_text(text, "f")
    pod = resource.spec.template.spec
    container = pod.containers[0]
    assert resource.spec.replicas == 3
    assert (pod.account, pod.termination_grace_period_seconds) == ("payer", 5)
    assert [(p.name, p.container_port) for p in container.ports] == [("http", 8080)]
    assert container.readiness_probe.http_get.port == "http"
    assert container.readiness_probe.failure_threshold == 3
    assert container.lifecycle.pre_stop.exec.command == ["sleep", "2"]
    assert find_ignored_fields(resource) == []


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("        imagePulPolicy: x\n", f"f.yaml:12: Deployment svca: {CONTAINER}.imagePulPolicy: "
         "is not a field of Container; did you mean imagePullPolicy?"),
        ("        env: [{name: A, value: 5}]\n", "f.yaml:12: Deployment svca: "
         f'{CONTAINER}.env[0].value: is the number 5; wanted a string; quote it: "5"'),
        ("        readinessProbe: {tcpSocket: {port: yes}}\n", "f.yaml:12: Deployment svca: "
         f"{CONTAINER}.readinessProbe.tcpSocket.port: is yes, which YAML reads as a boolean; "
         "wanted a number from 1 to 65535, or a port's name"),
        ("        readinessProbe: {grpc: {port: http}}\n", "f.yaml:12: Deployment svca: "
         f'{CONTAINER}.readinessProbe.grpc.port: is the string "http"; wanted a whole number'),
        ("        readinessProbe: {periodSeconds: 1}\n", "f.yaml:12: Deployment svca: "
         f"{CONTAINER}.readinessProbe: has no action or more than one; wanted one of httpGet, "
         "tcpSocket, exec, grpc"),
        ("        livenessProbe: {tcpSocket: {port: 80}, successThreshold: 2}\n", "f.yaml:12: "
         f"Deployment svca: {CONTAINER}.livenessProbe.successThreshold: is 2; wanted 1"),
        ("      hostNetwork: true\n", "f.yaml:12: Deployment svca: spec.template.spec.hostNetwork: "
         "is true; wanted false: Istio injects no sidecar into such pods, and here every workload "
         "has one"),
        ("      restartPolicy: Never\n", "f.yaml:12: Deployment svca: "
         'spec.template.spec.restartPolicy: is the string "Never"; wanted Always'),
    ],
)  # fmt: skip
def test_a_deployment_is_refused(refusal: Refusal, added: str, message: str) -> None:
    assert refusal(DEPLOYMENT + added) == [message]


def test_a_selector_that_misses_its_own_pods(refusal: Refusal) -> None:
    text = DEPLOYMENT.replace("matchLabels: {app: svca}", "matchLabels: {app: svcb}")
    assert refusal(text) == [
        "f.yaml:5: Deployment svca: spec.selector.matchLabels: selects app: svcb, which the pods "
        "of its template do not have; wanted labels of template.metadata.labels"
    ]
