"""securityContext: what a process in a pod has of it, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.model.ignored_fields import find_ignored_fields
from meshproof.model.kube_security import PodSecurityContext, SecurityContext, merge_contexts
from meshproof.model.reader import read_text

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: a, namespace: b}}
spec:
  hostname: here
  securityContext: {pod}
  containers: [{{name: a, image: a, securityContext: {container}}}]
"""


def _ignored(pod: str, container: str, **more: Any) -> list[str]:
    (resource,) = read_text(POD.format(pod=pod, container=container), "f")
    return [p.field for p in find_ignored_fields(resource, ["a"], [("a", "")], **more)]


def test_a_container_wins_over_its_pod() -> None:
    pod = PodSecurityContext.model_validate(
        {"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3, "supplementalGroups": [4, 3]}
    )
    own = {"runAsUser": 9, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["CAP_KILL"]}}
    security = merge_contexts(pod, SecurityContext.model_validate(own))
    assert (security.user, security.group, security.groups) == (9, 2, (4, 3))
    assert security.read_only
    assert security.dropped == {5}
    everything = SecurityContext.model_validate({"capabilities": {"drop": ["ALL"]}})
    assert len(merge_contexts(pod, everything).dropped) == 41


def test_without_pods_all_of_it_is_said_to_have_no_effect() -> None:
    assert _ignored("{runAsUser: 7}", "{readOnlyRootFilesystem: true}") == [
        "spec.hostname",
        "spec.securityContext",
        "spec.containers[0].securityContext",
    ]
    assert _ignored("{}", "{}") == ["spec.hostname"]


@pytest.mark.parametrize(
    ("container", "caller", "field"),
    [
        ("{readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}", 1000, None),
        ("{runAsUser: 1000, runAsNonRoot: true}", 1000, None),
        ("{runAsUser: 65534, runAsNonRoot: true}", 0, None),
        ("{runAsUser: 10001, runAsNonRoot: true}", 0, "runAsUser"),
        ("{runAsUser: 1001}", 1000, "runAsUser"),
        ("{runAsNonRoot: true}", 0, "runAsNonRoot"),
        ("{runAsNonRoot: true}", 1000, None),
        ("{privileged: true}", 0, "privileged"),
        ("{capabilities: {add: [NET_ADMIN]}}", 0, "capabilities.add"),
        ("{allowPrivilegeEscalation: false}", 0, None),
    ],
)
def test_in_pods_only_what_cannot_be_is_told(
    container: str, caller: int, field: str | None
) -> None:
    wanted = [f"spec.containers[0].securityContext.{field}"] if field else []
    known = (0, caller, 65534) if caller == 0 else (caller,)
    assert _ignored("{}", container, pods=True, may_run_as=known.__contains__) == wanted


@pytest.mark.parametrize(
    "container", ["{runAsUser: 0, runAsNonRoot: true}", "{runAsUser: -1}", "{runAsUsr: 1}"]
)
def test_what_kubernetes_does_not_run_is_refused(container: str) -> None:
    with pytest.raises(Exception, match=r"runAsUs(e?)r"):
        read_text(POD.format(pod="{}", container=container), "f")
