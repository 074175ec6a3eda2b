"""Kubernetes objects: what is honoured, what is named as not honoured, what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import Refused
from meshproof.model.container_env import build_environment, expand_arguments
from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.kube_service import ServicePort
from meshproof.model.kube_workloads import container_path, template_of
from meshproof.model.port_protocol import handling_of, protocol_of
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.translate.from_kube import services_of

Refusal = Callable[..., list[str]]

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: svca}
spec:
  selector: {matchLabels: {app: svca}}
  template:
    metadata: {labels: {app: svca}}
    spec:
      containers:
      - name: app
        image: svca:1
"""
PATH = "spec.template.spec.containers[0]"


def service(port: str, more: str = "") -> str:
    return (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
        f"spec: {{selector: {{app: a}}, ports: [{port}]{more}}}\n"
    )


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


def test_every_field_without_effect_is_named_once_with_its_line() -> None:
    text = DEPLOYMENT + (
        "        imagePullPolicy: Always\n"
        "        resources: {limits: {cpu: 1}}\n"
        "        workingDir: null\n"
        "        terminationMessagePolicy: File\n"
        "      - {name: second, image: other:1, tty: true}\n"
        "      initContainers: [{name: first, image: x}]\n"
        "      volumes: []\n"
        "      dnsPolicy: ClusterFirst\n"
    )
    (resource,) = read_text(text, "f")
    assert [str(p) for p in find_ignored_fields(resource)] == [
        f"f:12: Deployment svca: {PATH}.imagePullPolicy: is not honoured by a local process: "
        "no image is pulled",
        f"f:13: Deployment svca: {PATH}.resources: is not honoured by a local process: "
        "no limit is set",
        "f:16: Deployment svca: spec.template.spec.containers[1]: is not honoured by a local "
        "process: it is not run, as the image table has no other:1",
        "f:17: Deployment svca: spec.template.spec.initContainers[0]: is not honoured by a local "
        "process: it is not run, as the image table has no x",
    ]


def test_a_node_port_is_named_and_a_headless_service_is_not() -> None:
    (node_port,) = read_text(service("{port: 80, nodePort: 30080}", ", type: NodePort"), "f")
    assert [p.field for p in find_ignored_fields(node_port)] == [
        "spec.ports[0].nodePort",
        "spec.type",
    ]
    (headless,) = read_text(service("{port: 80}", ", clusterIP: None, sessionAffinity: None"), "f")
    assert find_ignored_fields(headless) == []


def test_what_is_not_tcp_is_named_and_not_carried() -> None:
    (dns,) = read_text(service("{port: 53, name: u, protocol: UDP}, {port: 53, name: t}"), "f")
    assert [str(p) for p in find_ignored_fields(dns)] == [
        "f:4: Service a: spec.ports[0].protocol: is not honoured by a local process: only TCP is "
        "carried"
    ]
    (made,) = services_of([dns])
    assert [p.name for p in made.ports] == ["t"]


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("        imagePulPolicy: x\n", f"f.yaml:12: Deployment svca: {PATH}.imagePulPolicy: "
         "is not a field of Container; did you mean imagePullPolicy?"),
        ("        env: [{name: A, value: 5}]\n", "f.yaml:12: Deployment svca: "
         f'{PATH}.env[0].value: is the number 5; wanted a string; quote it: "5"'),
        ("        readinessProbe: {tcpSocket: {port: yes}}\n", "f.yaml:12: Deployment svca: "
         f"{PATH}.readinessProbe.tcpSocket.port: is yes, which YAML reads as a boolean; "
         "wanted a number from 1 to 65535, or a port's name"),
        ("        readinessProbe: {grpc: {port: http}}\n", "f.yaml:12: Deployment svca: "
         f'{PATH}.readinessProbe.grpc.port: is the string "http"; wanted a whole number'),
        ("        readinessProbe: {periodSeconds: 1}\n", "f.yaml:12: Deployment svca: "
         f"{PATH}.readinessProbe: has not one action; wanted one of httpGet, tcpSocket, exec, "
         "grpc"),
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (service(""), "f.yaml:4: Service a: spec.ports: is empty; wanted one or more, or "
         "clusterIP: None"),
        (service("{port: 80}, {port: 81}"), "f.yaml:4: Service a: spec.ports: need a name each; "
         "wanted different names of several ports"),
        (service("{port: 80, name: a}, {port: 80, name: b}"), "f.yaml:4: Service a: spec.ports: "
         "have one number twice; wanted different numbers"),
        (service("{port: 80}", ", type: ExternalName"), "f.yaml:4: Service a: spec.externalName: "
         "is missing, and type is ExternalName; wanted a host"),
    ],
)  # fmt: skip
def test_a_service_is_refused(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(text) == [message]


@pytest.mark.parametrize(
    ("port", "protocol", "handled"),
    [
        ({"port": 80}, "HTTP", "HTTP"),
        ({"port": 80, "name": "web"}, "HTTP", "HTTP"),
        ({"port": 80, "name": "http"}, "HTTP", "HTTP"),
        ({"port": 80, "name": "HTTP2-api"}, "HTTP2", "HTTP"),
        ({"port": 80, "name": "grpc-web"}, "GRPC-WEB", "HTTP"),
        ({"port": 80, "name": "grpc-api"}, "GRPC", "HTTP"),
        ({"port": 80, "name": "tcp-raw"}, "TCP", "TCP"),
        ({"port": 80, "name": "http", "appProtocol": "tcp"}, "TCP", "TCP"),
        ({"port": 80, "appProtocol": "kubernetes.io/h2c"}, "HTTP2", "HTTP"),
        ({"port": 443}, "HTTPS", "HTTPS"),
        ({"port": 443, "name": "http"}, "HTTP", "HTTP"),
        ({"port": 8443, "name": "tls"}, "TLS", "TLS"),
        ({"port": 3306, "name": "db"}, "TCP", "TCP"),
        ({"port": 6379, "name": "redis"}, "REDIS", "TCP"),
    ],
)
def test_a_ports_protocol(port: dict[str, object], protocol: str, handled: str) -> None:
    found = protocol_of(ServicePort.model_validate(port))
    assert (found, handling_of(found)) == (protocol, handled)


CONFIG = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {A: from-map, B: also}
---
apiVersion: v1
kind: Secret
metadata: {name: sec}
data: {token: czNjcmV0}
stringData: {plain: text}
"""


def _environment(resources: list[Resource], fields: dict[str, str]) -> dict[str, str]:
    """Of the first container of the first resource."""
    container = template_of(resources[0]).spec.containers[0]
    return build_environment(
        resources[0], container, container_path(resources[0]), resources, fields
    )


def test_the_environment_is_what_the_kubelet_makes() -> None:
    text = DEPLOYMENT + (
        "        envFrom: [{prefix: C_, configMapRef: {name: conf}}]\n"
        "        env:\n"
        "        - {name: C_B, value: own}\n"
        "        - {name: TOKEN, valueFrom: {secretKeyRef: {name: sec, key: token}}}\n"
        "        - {name: GONE, valueFrom: {secretKeyRef: {name: x, key: z, optional: true}}}\n"
        "        - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"
        "        - {name: URL, value: 'http://$(IP)/$(C_A)?a=$$(IP)&b=$(NONE)'}\n"
    )
    resources = read_text(text + CONFIG, "f")
    env = _environment(resources, {"status.podIP": "127.1.2.3"})
    assert env == {
        "C_A": "from-map",
        "C_B": "own",
        "TOKEN": "s3cret",
        "IP": "127.1.2.3",
        "URL": "http://127.1.2.3/from-map?a=$(IP)&b=$(NONE)",
    }
    assert expand_arguments(["--ip=$(IP)", "$$x"], env) == ["--ip=127.1.2.3", "$x"]


def test_what_the_environment_refers_to_must_exist() -> None:
    text = DEPLOYMENT + (
        "        env:\n"
        "        - {name: A, valueFrom: {configMapKeyRef: {name: conf, key: Z}}}\n"
        "        - {name: B, valueFrom: {secretKeyRef: {name: none, key: a}}}\n"
        "        envFrom: [{secretRef: {name: gone}}]\n"
    )
    resources = read_text(text + CONFIG, "f")
    with pytest.raises(Refused) as caught:
        _environment(resources, {})
    assert [str(p).removeprefix(f"f:{p.line}: Deployment svca: {PATH}.")
            for p in caught.value.problems] == [
        "envFrom[0]: there is no Secret gone",
        "env[0].valueFrom: ConfigMap conf has no key Z",
        "env[1].valueFrom: there is no Secret none",
    ]  # fmt: skip


def test_objects_of_other_namespaces_are_not_seen() -> None:
    text = DEPLOYMENT + "        envFrom: [{configMapRef: {name: conf}}]\n"
    resources = read_text(text + CONFIG.replace("{name: conf}", "{name: conf, namespace: b}"), "f")
    with pytest.raises(Refused, match=r"envFrom\[0\]: there is no ConfigMap conf"):
        _environment(resources, {})


def test_a_secret_that_is_no_base64(refusal: Refusal) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  token: s3cret!\n"
    assert refusal(text) == [
        "f.yaml:5: Secret s: data.token: is not base64; "
        "wanted base64, or plain text under stringData"
    ]
