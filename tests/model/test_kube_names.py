"""What becomes a file's name here cannot lead out of the replica's folder."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from meshproof.errors import Refused
from meshproof.model.reader import read_text

OUT = ["..", "../x", "a/../../x", "/etc/passwd"]


def config(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def pod(**fields: Any) -> dict[str, Any]:
    mount = {"name": fields.get("volume", "v"), "mountPath": fields.get("mount", "/etc/shop")}
    source = fields.get("source", {"emptyDir": {}})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "containers": [
                {"name": fields.get("name", "c"), "image": "i", "volumeMounts": [mount]}
            ],
            "volumes": [{"name": fields.get("volume", "v"), **source}],
        },
    }


def refused(document: dict[str, Any]) -> str:
    with pytest.raises(Refused) as caught:
        read_text(yaml.safe_dump(document), "f.yaml")
    return str(caught.value)


def items(path: str) -> dict[str, Any]:
    return {"configMap": {"name": "c", "items": [{"key": "k", "path": path}]}}


def test_names_as_kubernetes_has_them_are_taken() -> None:
    assert read_text(yaml.safe_dump(config(**{"a.b-c_D": "x"})), "f.yaml")
    assert read_text(yaml.safe_dump(pod(source=items("deeper/k.txt"))), "f.yaml")
    claim = {"persistentVolumeClaim": {"claimName": "data.of-shop"}}
    assert read_text(yaml.safe_dump(pod(source=claim)), "f.yaml")


@pytest.mark.parametrize("key", [*OUT, ".", "..data", "a b", ""])
def test_a_key_that_is_a_way_out_is_refused(key: str) -> None:
    assert "data" in refused(config(**{key: "x"}))
    assert "stringData" in refused(
        {**config(), "kind": "Secret", "stringData": {key: "x"}, "data": {}}
    )


@pytest.mark.parametrize("path", OUT)
def test_a_files_path_stays_in_its_volume(path: str) -> None:
    assert "items[0].path: is" in refused(pod(source=items(path)))
    projected = {"projected": {"sources": [items(path)]}}
    assert "items[0].path: is" in refused(pod(source=projected))


@pytest.mark.parametrize("path", ["/../x", "/a/../../x", "..", "/a:/b"])
def test_a_mount_stays_in_its_container(path: str) -> None:
    assert "mountPath: is" in refused(pod(mount=path))


@pytest.mark.parametrize("name", [*OUT, "a/b", "A"])
def test_names_of_containers_volumes_and_claims_are_names(name: str) -> None:
    assert "containers[0].name: is" in refused(pod(name=name))
    assert "volumes[0].name: is" in refused(pod(volume=name))
    claim = {"persistentVolumeClaim": {"claimName": name}}
    assert "claimName: is" in refused(pod(source=claim))
