"""Fields of Kubernetes objects that have no effect."""

from __future__ import annotations

from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.reader import read_text
from meshproof.translate.from_kube import services_of
from tests.model.manifests import CONTAINER, DEPLOYMENT, service


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
        f"f:12: Deployment svca: {CONTAINER}.imagePullPolicy: is not honoured by a local process: "
        "no image is pulled",
        f"f:13: Deployment svca: {CONTAINER}.resources: is not honoured by a local process: "
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
    (service_a,) = services_of([dns])
    assert [p.name for p in service_a.ports] == ["t"]
