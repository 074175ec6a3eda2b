"""What is in a pod's volumes, and where a container's words lead."""

from __future__ import annotations

import pytest

from meshproof.model.kube_volumes import VolumeMount
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from meshproof.model.volume_files import find_unknown_mounts, path_relocator, read_volumes

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {a.json: "{}", run.sh: "echo"}
binaryData: {logo: AAH/}
---
apiVersion: v1
kind: Secret
metadata: {name: sec}
stringData: {key: hush}
---
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: p}}
spec:
  containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /etc/c}]}]
  volumes: [{name: v, SOURCE}]
"""
FIELDS = {"metadata.name": "p-0"}


def read(source: str) -> list[Resource]:
    return read_text(CONFIG + POD.replace("SOURCE", source), "f")


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("configMap: {name: conf}",
         {"a.json": (b"{}", 0o644), "run.sh": (b"echo", 0o644), "logo": (b"\0\1\xff", 0o644)}),
        ("configMap: {name: conf, defaultMode: 0755, items: [{key: run.sh, path: bin/run}]}",
         {"bin/run": (b"echo", 0o755)}),
        ("secret: {secretName: sec, items: [{key: key, path: k, mode: 256}]}",
         {"k": (b"hush", 0o400)}),
        ("projected: {sources: [{secret: {name: sec}}, {configMap: {name: conf, "
         "items: [{key: a.json, path: a}]}}, {downwardAPI: {items: [{path: me, "
         "fieldRef: {fieldPath: metadata.name}}]}}]}",
         {"key": (b"hush", 0o644), "a": (b"{}", 0o644), "me": (b"p-0", 0o644)}),
        ("configMap: {name: gone, optional: true}", {}),
        ("emptyDir: {}", {}),
        ("hostPath: {path: /var}", {}),
    ],
)  # fmt: skip
def test_a_volume(source: str, files: dict[str, tuple[bytes, int]]) -> None:
    resources = read(source)
    (volume,), problems = read_volumes(resources[-1], resources, FIELDS)
    assert problems == []
    assert {f.path: (f.data, f.mode) for f in volume.files} == files


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("configMap: {name: gone}", "spec.volumes[0].configMap: there is no ConfigMap gone"),
        ("secret: {secretName: sec, items: [{key: z, path: z}]}",
         "spec.volumes[0].secret.items[0].key: Secret sec has no key z"),
        ("downwardAPI: {items: [{path: x, fieldRef: {fieldPath: a.b}}]}",
         "spec.volumes[0].downwardAPI.items[0]: no field a.b is known; known are metadata.name"),
    ],
)  # fmt: skip
def test_what_a_volume_misses_is_named(source: str, message: str) -> None:
    resources = read(source)
    _, (problem,) = read_volumes(resources[-1], resources, FIELDS)
    assert f"{problem.field}: {problem.found}" == message


def test_a_mount_of_no_volume_is_named() -> None:
    (*_, pod) = read("emptyDir: {}")
    assert list(find_unknown_mounts(pod, ())) == []
    (*_, pod) = read_text(POD.replace("{name: v, SOURCE}", ""), "f")
    (problem,) = find_unknown_mounts(pod, ())
    assert problem.field == "spec.containers[0].volumeMounts[0].name"
    assert list(find_unknown_mounts(pod, ("v",))) == []


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("/etc/shop/menu.json", "/R/etc/shop/menu.json"),
        ("--menu=/etc/shop", "--menu=/R/etc/shop"),
        ("a:/etc/shop,/data/x;/etc/shop", "a:/R/etc/shop,/R/data/x;/R/etc/shop"),
        ("cp /etc/shop/a /data/b", "cp /R/etc/shop/a /R/data/b"),
        ("/etc/shop.d/menu", "/etc/shop.d/menu"),
        ("/srv/etc/shop", "/srv/etc/shop"),
        ("http://host/data/x", "http://host/data/x"),
        ("/etc/shop/deep/x", "/R/etc/shop/deep/x"),
    ],
)
def test_paths_of_mounts_lead_below_the_folder(argument: str, expected: str) -> None:
    paths = ("/etc/shop/", "/data", "/etc/shop/deep", "/")
    assert (
        path_relocator([VolumeMount(name="v", mountPath=p) for p in paths], "/R")(argument)
        == expected
    )
