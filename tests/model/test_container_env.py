"""A container's environment, as the kubelet builds it."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.container_env import build_environment, expand_arguments
from meshproof.model.kube_workloads import container_path, template_of
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from tests.model.manifests import CONFIG, CONTAINER, DEPLOYMENT


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
    assert [str(p).removeprefix(f"f:{p.line}: Deployment svca: {CONTAINER}.")
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
