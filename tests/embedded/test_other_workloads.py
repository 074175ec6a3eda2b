"""StatefulSets and bare Pods run as Deployments do; Kustomize folders are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.pod.deployments import workloads
from meshproof.embedded.pod.workload import Workload
from meshproof.errors import Refused
from meshproof.model.reader import read_resources, read_text, with_default_namespace
from meshproof.model.resource import Resource
from meshproof.model.unsupported_fields import find_unsupported_fields
from meshproof.project import ImageCommand, Project
from meshproof.sources.sources import read_sources

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
    return workloads(Store().apply(_read(text, image, value))[0], PROJECT)


@pytest.mark.parametrize(("text", "name", "replicas"), [(POD, "one", 1), (SET, "two", 3)])
def test_a_workload_of_another_kind(text: str, name: str, replicas: int) -> None:
    (made,) = _workloads(text)
    assert (made.name, made.replicas, made.labels) == (name, replicas, {"app": name})
    fields = made.fields("pod", "127.0.0.1", made.labels)
    assert made.container_env(made.program, fields)["WHO"] == name
    assert (made.numbered, made.claims) == ((True, ("data",)) if name == "two" else (False, ()))


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
    assert sorted(p.field for p in find_unsupported_fields(resource)) == fields


def test_names_are_kept_apart_by_namespace_alone() -> None:
    with pytest.raises(Refused, match="is also the name of Pod default/one"):
        _workloads(f"{POD}---\n{SET.replace('two', 'one')}")


def _kustomize(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A Kustomize folder ``k``, and a PATH on which ``kubectl`` does this."""
    (folder / "k").mkdir()
    (folder / "k" / "kustomization.yaml").write_text("resources: [a.yaml]")
    (folder / "bin").mkdir()
    if script:
        (folder / "bin" / "kubectl").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "bin" / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"))


def test_a_kustomize_folder_is_what_kubectl_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = POD.replace("CONTAINERS", "").replace("IMAGE", "a").replace("FROM", FROM)
    (tmp_path / "made.yaml").write_text(made)
    script = (
        f'[ "$1" = kustomize ] && while read -r line; do echo "$line"; done < {tmp_path}/made.yaml'
    )
    _kustomize(tmp_path, monkeypatch, script)
    (pod,) = read_resources([tmp_path / "k"])
    assert (pod.title, pod.location.file) == ("Pod one", f"`kubectl kustomize {tmp_path}/k`")
    assert [text for _, text in read_sources([str(tmp_path / "k")])] == [made]


@pytest.mark.parametrize(
    ("script", "found", "remedy"),
    [
        ("", "is a Kustomize folder", "kubectl kustomize {} | meshproof up -f -"),
        (
            "echo no such base >&2; exit 1",
            "is not built by `kubectl kustomize {}`: no such base",
            "",
        ),
    ],
)
def test_a_kustomize_folder_that_is_not_built_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: str, remedy: str
) -> None:
    _kustomize(tmp_path, monkeypatch, script)
    folder = str(tmp_path / "k")
    for read in (lambda: read_resources([folder]), lambda: read_sources([folder])):
        with pytest.raises(Refused) as refused:
            read()
        (problem,) = refused.value.problems
        assert problem.found == found.format(folder)
        assert problem.remedy.endswith(remedy.format(folder))
