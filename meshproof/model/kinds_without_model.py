"""Kinds that no model reads: those that are refused, and those that are accepted without effect."""

from __future__ import annotations

from collections.abc import Mapping

UNSUPPORTED_KINDS: Mapping[str, str] = {
    name: owner
    for owner, names in {
        "Istio": "TrafficExtension",
        "the Gateway API": "UDPRoute ListenerSet",
        "Kubernetes": "ReplicaSet ReplicationController PodTemplate",
    }.items()
    for name in names.split()
}
"""Kinds of other APIs -> the API. To ignore them would change what a mesh does."""
REASONS: Mapping[str, tuple[str, str]] = {
    "UDPRoute": ("only TCP is carried, and Istio has no UDPRoute either", "leave it out"),
    "ListenerSet": ("a Gateway has its own listeners alone", "write them into the Gateway"),
}
"""Why some of them are refused, and what to do about it."""
IGNORED_KINDS: Mapping[str, str] = {
    name: meaning
    for names, meaning in {
        "Job CronJob": "it is not run",
        "WorkloadGroup": "no virtual machine joins by it; a WorkloadEntry is applied as it is",
        "NetworkPolicy": "no connection is filtered by it",
        "PodDisruptionBudget ResourceQuota LimitRange PriorityClass": "nothing is limited by it",
        "PersistentVolume PersistentVolumeClaim StorageClass": "a claim is a folder that is "
        "removed with the mesh",
        "Role RoleBinding ClusterRole ClusterRoleBinding": "there is no API server to ask",
        "CustomResourceDefinition MutatingWebhookConfiguration ValidatingWebhookConfiguration "
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding APIService": "there is no API "
        "server to extend",
    }.items()
    for name in names.split()
}
"""Kinds that are accepted without effect -> what a user misses."""
NAMESPACED_KINDS = (
    *("Job", "CronJob", "NetworkPolicy", "PodDisruptionBudget", "ResourceQuota"),
    *("LimitRange", "PersistentVolumeClaim", "Role", "RoleBinding", "WorkloadGroup"),
)
_KNOWN_GROUPS = ("istio.io", "k8s.io")
"""API groups whose kinds are listed here one by one."""
THIRD_PARTY_KINDS: Mapping[str, str] = {
    "argoproj.io Rollout": "write a Deployment, and move weight with `meshproof release`",
    "serving.knative.dev Service": "write a Deployment and a Service",
    "apps.openshift.io DeploymentConfig": "write a Deployment",
    "split.smi-spec.io TrafficSplit": "write a VirtualService",
    "linkerd.io ServiceProfile": "write a VirtualService",
    "policy.linkerd.io Server": "write a PeerAuthentication",
    "policy.linkerd.io ServerAuthorization": "write an AuthorizationPolicy",
    "policy.linkerd.io AuthorizationPolicy": "write one of security.istio.io",
}
"""Kinds of other projects that create pods, or route or guard requests -> the remedy here."""


def explain_ignored(kind: str, api_version: str) -> str:
    """What a user misses of a kind that is accepted without effect; empty for every other kind.

    A kind of another project's group is one that only that project's controller acts on.
    """
    group = api_version.rpartition("/")[0]
    if not is_known_group(group):
        return f"nothing here acts on kinds of {group}"
    return IGNORED_KINDS.get(kind, "")


def group_ignored_kinds() -> list[tuple[list[str], str]]:
    """The kinds of Kubernetes that are accepted without effect, and what a user misses."""
    meanings = dict.fromkeys(IGNORED_KINDS.values())
    return [(sorted(k for k, m in IGNORED_KINDS.items() if m == one), one) for one in meanings]


def is_known_group(group: str) -> bool:
    return (
        not group
        or "." not in group
        or any(group == ours or group.endswith(f".{ours}") for ours in _KNOWN_GROUPS)
    )
