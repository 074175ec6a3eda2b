"""StatefulSets and bare Pods run as Deployments do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.pod.deployments import build_workloads
from meshproof.embedded.pod.workload import Workload
from meshproof.errors import Refused
from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.reader import read_text, with_default_namespace
from meshproof.model.resource import Resource
from meshproof.project import ImageCommand, Project

CONTAINERS = "containers: [{name: c, image: IMAGE, env: [{name: WHO, valueFrom: FROM}]}, {name: d, image: e}]"  # noqa: E501
FROM = "{fieldRef: {fieldPath: \"metadata.labels['app']\"}}"
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: one, labels: {app: one}}\n"
    f"spec: {{{CONTAINERS}}}\n"
)
SET = (
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: two}\n"
    "spec: {serviceName: two, replicas: 3, selector: {matchLabels: {app: two}},"
    "volumeClaimTemplates: [{metadata: {name: data}}], template: {metadata: {labels: {app: two}},"
    f" spec: {{{CONTAINERS}}}}}}}\n"
)
PROJECT = Project(root=Path(), images={"a": ImageCommand(command=["x", "{ip}", "{port}"])})


def _read(text: str, image: str = "a", value: str = FROM) -> list[Resource]:
    filled = text.replace("IMAGE", image).replace("FROM", value)
    return with_default_namespace(read_text(filled, "m.yaml"), "default")


def _workloads(text: str, image: str = "a", value: str = FROM) -> list[Workload]:
    return build_workloads(Store().apply(_read(text, image, value))[0], PROJECT)


@pytest.mark.parametrize(("text", "name", "replicas"), [(POD, "one", 1), (SET, "two", 3)])
def test_a_workload_of_another_kind(text: str, name: str, replicas: int) -> None:
    (workload,) = _workloads(text)
    assert (workload.name, workload.replicas, workload.labels) == (name, replicas, {"app": name})
    fields = workload.downward_fields("pod", "127.0.0.1", workload.labels)
    assert workload.container_env(workload.program, fields)["WHO"] == name
    assert (workload.stateful, workload.claims) == (
        (True, ("data",)) if name == "two" else (False, ())
    )


@pytest.mark.parametrize(
    ("text", "path"), [(POD, "spec.containers[0]"), (SET, "spec.template.spec.containers[0]")]
)
def test_what_is_wrong_is_named_at_its_own_place(text: str, path: str) -> None:
    with pytest.raises(Refused, match="image b has no local command") as refused:
        _workloads(text, image="b")
    assert refused.value.problems[0].field == f"{path}.image"
    with pytest.raises(Refused) as refused:
        _workloads(text, value="{configMapKeyRef: {name: gone, key: k}}")
    assert refused.value.problems[0].field == f"{path}.env[0].valueFrom"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (POD, ["spec.containers[1]"]),
        (
            SET,
            ["spec.template.spec.containers[1]"],
        ),
    ],
)
def test_what_has_no_effect_is_named(text: str, fields: list[str]) -> None:
    (resource,) = _read(text)
    assert sorted(p.field for p in find_ignored_fields(resource)) == fields


def test_names_are_kept_apart_by_namespace_alone() -> None:
    with pytest.raises(Refused, match="is also the name of Pod default/one"):
        _workloads(f"{POD}---\n{SET.replace('two', 'one')}")


OWN = """
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec: {containers: [{name: c, image: "own:1", COMMAND ports: [{containerPort: 80}]}]}
"""


def _build(command: str, *, pods: bool) -> list[Workload]:
    resources = _read(OWN.replace("COMMAND", command))
    return build_workloads(Store().apply(resources)[0], replace(PROJECT, pods=pods))


def _in_pods(command: str) -> list[Workload]:
    return _build(command, pods=True)


def test_in_pods_a_container_runs_its_own_command() -> None:
    (workload,) = _in_pods("command: [sh, -c, serve], args: [now],")
    assert workload.program.argv({"files": "", "python": "py"}, {}) == ["sh", "-c", "serve", "now"]
    (workload,) = _in_pods("command: [/usr/local/bin/python3.12, app.py],")
    assert workload.program.argv({"files": "", "python": "py"}, {}) == ["py", "app.py"]


def test_without_pods_it_needs_the_image_table() -> None:
    with pytest.raises(Refused, match="image own:1 has no local command;"):
        _build("command: [sh],", pods=False)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("", "has no local command"),
        ("command: [no-such-program],", "and no-such-program, which its container runs, is not"),
    ],
)
def test_in_pods_a_program_that_is_not_here_is_refused(command: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        _in_pods(command)


_NO_SIDECAR = POD.replace("{app: one}", '{app: one, sidecar.istio.io/inject: "false"}')


def test_a_workload_without_a_sidecar_needs_pods() -> None:
    with pytest.raises(Refused) as refused:
        build_workloads(Store().apply(_read(_NO_SIDECAR))[0], replace(PROJECT, pods=False))
    (problem,) = refused.value.problems
    assert problem.field == "metadata.labels.sidecar.istio.io/inject"
    assert "--pods" in problem.remedy
    store = Store().apply(_read(_NO_SIDECAR))[0]
    (workload,) = build_workloads(store, replace(PROJECT, pods=True))
    assert not workload.sidecar


def test_replicas_are_replaced_when_their_namespace_changes_its_mind() -> None:
    project = replace(PROJECT, pods=True)
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: LABELS}\n---\n"

    def template(labels: str) -> str:
        store = Store().apply(_read(namespace.replace("LABELS", labels) + POD))[0]
        (workload,) = build_workloads(store, project)
        return workload.template

    assert template("{istio-injection: enabled}") == template("{}")
    assert template("{istio-injection: enabled}") != template("{istio-injection: disabled}")
