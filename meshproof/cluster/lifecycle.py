"""How a mesh on Kubernetes starts, step by step, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from meshproof.admission.admission import Admission, default_namespace
from meshproof.admission.store import Store
from meshproof.cluster import istio, manifests, tools
from meshproof.cluster.assets import LABEL, OWNED, SYSTEM, asset
from meshproof.cluster.commands import Runner
from meshproof.cluster.images import ImageBuilder, project_images
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.orphans import find_orphans
from meshproof.cluster.port_forward import PortForwards
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.reconciler import Reconciler
from meshproof.cluster.rollout import Rollouts
from meshproof.cluster.settings import Settings
from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import Applied
from meshproof.model.reader import with_default_namespace
from meshproof.model.resource import Resource
from meshproof.model.yaml_writer import documents_to_yaml
from meshproof.project import Project
from meshproof.project_path import PROJECT_FILE
from meshproof.wait import until


class Lifecycle:
    """``up`` and ``down`` of one mesh. One caller at a time."""

    def __init__(
        self,
        state: MeshState,
        *,
        project: Project,
        settings: Settings,
        admission: Admission,
        provider: Provider,
        runner: Runner,
        profile: Path,
        reconciler: Reconciler,
        rollouts: Rollouts,
        forwards: PortForwards,
    ) -> None:
        self._state = state
        self._project = project
        self._settings = settings
        self._admission = admission
        self._provider = provider
        self._runner = runner
        self._profile = profile
        self._reconciler = reconciler
        self._rollouts = rollouts
        self._forwards = forwards
        self._may_exist = True
        """Whether ``down`` may find something to remove, also of a process that is gone."""

    def up(self) -> Applied:
        """Every step may be repeated: what exists already is used as it is."""
        started = time.monotonic()
        resources = self._admission.read(self._project.manifests, stdin=self._project.stdin)
        self._may_exist = False
        tools.check_tools(self._runner, self._provider.tools)
        self._may_exist = True
        try:
            applied = self._start(resources, started)
        except BaseException as error:
            self._abandon(error)
            raise
        self._state.initial = self._state.applied
        return applied

    def _start(self, resources: Sequence[Resource], started: float) -> Applied:
        store = self._admission.new_store()
        placed = with_default_namespace(resources, default_namespace(store, resources))
        self._provider.ensure(manifests.namespaces_of(placed))
        admitted = self._admission.apply(store, placed, strict=False)
        builder = ImageBuilder(self._runner, self._settings, self._project.root)
        self._state.images = builder.build(project_images(self._project))
        self._provider.deliver(self._state.images)
        self._install_istio()
        self._start_span_store()
        notes = self._provider.start_outside_hosts(self._state.images)
        self._state.up = True
        self._delete_orphans(admitted.store)
        acks = self._reconciler.reconcile(admitted.store, started)
        self._wait_gateway()
        seconds = time.monotonic() - started
        all_notes = (*admitted.notes, *notes)
        return Applied(admitted.messages, tuple(acks), seconds, admitted.warnings, all_notes)

    def _delete_orphans(self, store: Store) -> None:
        kubectl = self._provider.kubectl
        if orphans := find_orphans(kubectl, self._reconciler.desired(store).keys()):
            kubectl.delete(documents_to_yaml(orphans), doing="deleting what another run left")

    def _install_istio(self) -> None:
        kubectl = self._provider.kubectl
        if self._settings.istio_skip:
            istio.check_installed(kubectl)
        else:
            istio.install(kubectl, self._settings, self._profile)
        istio.install_gateway_api(kubectl, self._settings)

    def _start_span_store(self) -> None:
        """And a Telemetry that makes Istio send it the spans of every request."""
        image = next(iter(self._state.images.values()), "")
        if not image:
            raise UsageError(f"{PROJECT_FILE} has no image with `build`; the span store needs one")
        config_map = {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "zipkin", "namespace": SYSTEM, "labels": {LABEL: OWNED}},
            "data": {"span_store.py": asset("span_store.py")},
        }  # fmt: skip
        text = "\n".join([asset("spans.yaml", {"IMAGE": image}), documents_to_yaml([config_map])])
        self._provider.kubectl.apply(text, doing="applying the span store")
        self._provider.kubectl.apply(asset("telemetry.yaml"), doing="applying Istio's Telemetry")
        self._rollouts.wait([("Deployment", SYSTEM, "zipkin")])

    def _wait_gateway(self) -> None:
        url = self._provider.gateway_url()
        until(
            lambda: self._runner.probe(url),
            f"waiting for the ingress gateway to answer at {url}",
            within=60,
        )

    def _abandon(self, error: BaseException) -> None:
        """Removes what was begun. A failure of that is noted at ``error`` and not raised, neither
        here nor by a later ``down``: why ``up`` failed matters more."""
        self._runner.note(f"up failed: {error}")
        try:
            self.down()
        except MeshproofError as failure:
            self._may_exist = False
            self._runner.note(f"removing what was begun failed: {failure}")
            remedy = "`make sweep` removes it"
            if not self._settings.on_kind:
                remedy = "the next `make up` uses it, and `make down` removes it"
            error.add_note(f"What was begun is still there; {remedy}:\n{failure}")

    def down(self) -> None:
        """Safe to repeat."""
        self._state.up = False
        self._forwards.close()
        if self._may_exist:
            self._provider.remove()
            self._may_exist = False
