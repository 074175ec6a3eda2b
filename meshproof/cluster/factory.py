"""From ``MESH=kind`` or ``MESH=context`` and the environment to a mesh that is not up yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from meshproof.cluster.addons_and_load import AddOnsAndLoad
from meshproof.cluster.admission import cluster_admission
from meshproof.cluster.changes import Changes
from meshproof.cluster.commands import Commands, Runner
from meshproof.cluster.control_adapter import ControlAdapter
from meshproof.cluster.explain_adapter import ExplainAdapter
from meshproof.cluster.faults import Faults
from meshproof.cluster.images import ImageBuilder
from meshproof.cluster.lifecycle import Lifecycle
from meshproof.cluster.mesh import ClusterMesh, MeshParts
from meshproof.cluster.mesh_state import MeshState
from meshproof.cluster.network_faults import NetworkFaults
from meshproof.cluster.port_forward import PortForwards
from meshproof.cluster.providers.context import ContextProvider
from meshproof.cluster.providers.kind import KindProvider
from meshproof.cluster.providers.provider import Provider
from meshproof.cluster.queries import Queries
from meshproof.cluster.reconciler import Reconciler
from meshproof.cluster.rollout import Rollouts
from meshproof.cluster.settings import Settings, from_env
from meshproof.cluster.state_dir import state_dir
from meshproof.cluster.workload_pods import WorkloadPods
from meshproof.errors import UsageError
from meshproof.mesh import Capability
from meshproof.model.mesh_config import NO_MESH_CONFIG
from meshproof.project import Project

LOG = Path("artifacts") / "commands.log"
"""Relative to the project: every command with its seconds and exit code."""
_CAPABILITIES = frozenset({Capability.RELEASE})
_ON_KIND = frozenset({Capability.CUT, Capability.KILL_SIDECAR})
"""What takes the nodes of a kind cluster of ours."""


def make(
    kind: str,
    project: Project,
    name: str,
    environ: Mapping[str, str],
    *,
    runner: Runner | None = None,
    state: Path | None = None,
) -> ClusterMesh:
    """``runner`` and ``state`` (the folder for kubeconfigs) are for tests.

    Raises UsageError with every setting that cannot be used.
    """
    if project.mesh_config != NO_MESH_CONFIG:
        raise UsageError(
            "meshConfig of meshproof.yaml is for the embedded mesh; on a cluster apply Istio's "
            "ConfigMap istio-system/istio, or set ISTIO_SET"
        )
    settings = from_env(environ, kind=kind)
    runner = runner or Commands(project.root / LOG)
    return ClusterMesh(name, assemble(settings, project, name, runner, state))


def assemble(
    settings: Settings, project: Project, name: str, runner: Runner, folder: Path | None
) -> MeshParts:
    """The parts of a mesh on the cluster that the settings name."""
    home = state_dir(settings.context or settings.kind_cluster, folder)
    provider: Provider = ContextProvider(runner, settings, project)
    if settings.on_kind:
        provider = KindProvider(runner, settings, project, home)
    admission = cluster_admission(project, provider)
    state = MeshState(name, applied=admission.new_store(), initial=admission.new_store())
    forwards = PortForwards(provider.kubectl)
    pods = WorkloadPods(state, provider.kubectl)
    rollouts = Rollouts(provider.kubectl, pods)
    reconciler = Reconciler(state, provider, pods, rollouts)
    network = NetworkFaults(state, provider, pods, reconciler)
    queries = Queries(
        state,
        project=project,
        settings=settings,
        provider=provider,
        pods=pods,
        forwards=forwards,
    )
    return MeshParts(
        capabilities=_CAPABILITIES | (_ON_KIND if settings.on_kind else frozenset()),
        lifecycle=Lifecycle(
            state,
            project=project,
            settings=settings,
            admission=admission,
            provider=provider,
            runner=runner,
            profile=home.profile,
            reconciler=reconciler,
            rollouts=rollouts,
            forwards=forwards,
        ),
        changes=Changes(state, admission, reconciler, pods, Faults(state, provider, pods, network)),
        queries=queries,
        extras=AddOnsAndLoad(
            state, provider, ImageBuilder(runner, settings, project.root), forwards
        ),
        explainer=ExplainAdapter(state, project, provider, pods, network),
        control=ControlAdapter(state, provider, runner, pods, queries),
    )
