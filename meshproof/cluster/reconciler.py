"""Brings a cluster to a new state: after a dry run, as a whole, and live on every sidecar.

What does not become live is undone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from meshproof.admission.store import Key, Store
from meshproof.cluster import manifests
from meshproof.cluster.assets import LABEL, OWNED
from meshproof.cluster.commands import CommandError
from meshproof.cluster.kubectl import Json
from meshproof.cluster.live import LiveCheck, mark_documents, new_mark, ready_addresses
from meshproof.cluster.manifest_diff import ManifestDiff, State, difference, stages
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.pods import Pod
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.rollout import Rollouts
from meshproof.cluster.server_errors import parse_refusals
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import NotLive, Refused
from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.mesh import Ack
from meshproof.model.resource import Resource
from meshproof.model.yaml_writer import documents_to_yaml
from meshproof.wait import until

_SERVER_FAILED = (
    "Unable to connect",
    "connection refused",
    "was refused - did you specify",
    "timeout",
)
"""In kubectl's errors where the API server failed, not the input."""
TERMINATION = 90.0
"""Seconds for old pods to terminate: more than their grace period."""


class Reconciler:
    """One caller at a time."""

    def __init__(
        self, state: MeshState, provider: Provider, pods: WorkloadPods, rollouts: Rollouts
    ) -> None:
        self._state = state
        self._provider = provider
        self._kubectl = provider.kubectl
        self._pods = pods
        self._rollouts = rollouts
        self._live = LiveCheck(provider.kubectl)

    def desired(self, store: Store) -> dict[Key, Json]:
        """What the cluster holds when ``store`` is applied: labelled, with the images that were
        built, and as the provider needs it."""
        return {r.key: self._adapt(r) for r in manifests.sent_resources(store)}

    def _adapt(self, resource: Resource) -> Json:
        body = manifests.with_label(manifests.manifest_of(resource), LABEL, OWNED)
        return self._provider.adapt(manifests.with_images(body, self._state.images))

    def reconcile(
        self, store: Store, started: float, moved: Callable[[], None] = lambda: None
    ) -> list[Ack]:
        """Makes the cluster hold ``store``; on failure it gets back what it held. Calls ``moved``
        once it is live, if pods came or went.

        ``started`` is ``time.monotonic()`` at the beginning of the change. Raises Refused (nothing
        was applied), NotLive, CommandError.
        """
        before, after = self.desired(self._state.applied), self.desired(store)
        diff = difference(before, after)
        self._check(diff, store)
        acks: list[Ack] = []
        current: State = before
        for target in stages(before, after):
            try:
                acks = self._make_live(difference(current, target), store, started)
            except (NotLive, CommandError):
                self._undo(difference(target, before))
                raise
            current = target
        self._state.applied = store
        if diff.moves_pods:
            moved()
        return acks

    def _make_live(self, diff: ManifestDiff, store: Store, started: float) -> list[Ack]:
        if not diff:
            return []
        mark = new_mark()
        self._submit(diff, store, mark)
        self._rollouts.wait(diff.rollouts)
        acks = self._wait_live(mark, store, started, check_endpoints=diff.moves_pods)
        self._state.mark = mark
        return acks

    def _check(self, diff: ManifestDiff, store: Store) -> None:
        """A dry run of all of it, so that a refused document leaves nothing applied beside it.
        Namespaces are applied: a dry run of what is in them fails until they exist."""
        self._apply_namespaces(diff)
        if rest := _without_namespaces(diff):
            self._dry_run(documents_to_yaml(rest), rest, store)

    def _undo(self, diff: ManifestDiff) -> None:
        self._apply_namespaces(diff)
        self._submit(diff, self._state.applied, self._state.mark)

    def _apply_namespaces(self, diff: ManifestDiff) -> None:
        if namespaces := [d for d in diff.apply if d["kind"] == "Namespace"]:
            self._kubectl.apply(documents_to_yaml(namespaces), doing="applying namespaces")

    def _submit(self, diff: ManifestDiff, store: Store, mark: str) -> None:
        """All but namespaces. Applies before it deletes; the mark comes last."""
        rest = _without_namespaces(diff)
        text = documents_to_yaml(rest) if rest else ""
        marks = self._marks(mark, store) if mark else ""
        if diff.delete:
            if text:
                self._kubectl.apply(text, doing="applying")
            self._kubectl.delete(documents_to_yaml(diff.delete), doing="deleting")
            text = ""
        if text or marks:
            self._kubectl.apply("\n---\n".join(t for t in (text, marks) if t), doing="applying")

    def _marks(self, mark: str, store: Store) -> str:
        return mark_documents(mark, self._pods.namespaces(store), self._state.renewals)

    def renew_connections(self, hosts: Collection[str]) -> None:
        """Callers' new requests to these hosts use new connections, once it returns; requests in
        flight finish on the old ones. Raises NotLive.

        Envoy makes a cluster anew whose metadata have changed, and drains the connection pools of
        the old one (``ClusterManagerImpl::addOrUpdateCluster`` compares a hash of all of it).
        """
        if not hosts:
            return
        started, mark = time.monotonic(), new_mark()
        for host in hosts:
            self._state.renewals[host] = self._state.renewals.get(host, 0) + 1
        store = self._state.applied
        self._kubectl.apply(self._marks(mark, store), doing="renewing callers' connections")
        self._wait_live(mark, store, started, check_endpoints=False)
        self._state.mark = mark

    def _dry_run(self, text: str, bodies: Sequence[Json], store: Store) -> None:
        """Raises Refused with what the API server and Istio's webhook refuse."""
        try:
            self._kubectl.apply(text, doing="asking the API server first", dry_run=True)
        except CommandError as error:
            result = error.result
            if any(text in result.errors for text in _SERVER_FAILED):
                raise
            sent = {resource.key: resource for resource in manifests.sent_resources(store)}
            resources = [sent[key] for body in bodies if (key := _key(body)) in sent]
            raise Refused(parse_refusals(result.text, result.errors, resources)) from None

    def _wait_live(
        self, mark: str, store: Store, started: float, *, check_endpoints: bool
    ) -> list[Ack]:
        """Every sidecar shows the mark, and has the endpoints where pods came or went."""
        addresses: dict[str, set[str]] = {}
        if check_endpoints:
            self._wait_terminated(store)
            slices = [
                item
                for namespace in self._pods.namespaces(store)
                for item in self._kubectl.list(
                    "endpointslices",
                    namespace=namespace,
                    doing=f"asking for the endpoints of {namespace}",
                )
            ]
            addresses = ready_addresses(slices)
        sidecars = [p for p in self._pods.all(store) if p.meshed and p.alive and _is_marked(p)]
        return self._live.wait(mark, sidecars, addresses, started)

    def _wait_terminated(self, store: Store) -> None:
        def reason() -> str:
            ending = [p.name for p in self._pods.all(store) if p.ending]
            return f"{', '.join(ending)} is terminating" if ending else ""

        until(reason, "waiting for old pods to terminate", within=TERMINATION, every=0.5)


def _without_namespaces(diff: ManifestDiff) -> list[Json]:
    return [d for d in diff.apply if d["kind"] != "Namespace"]


def _is_marked(pod: Pod) -> bool:
    """In Istio's namespace the gateway alone; other pods there are somebody else's."""
    return pod.gateway or pod.namespace != ROOT_NAMESPACE


def _key(body: Json) -> Key:
    metadata = body["metadata"]
    return (body["kind"], metadata.get("namespace", ""), metadata["name"])
