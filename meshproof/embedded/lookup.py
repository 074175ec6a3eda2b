"""Finds what a name on the command line or in a test means: replicas and outside hosts."""

from __future__ import annotations

from meshproof import workload_names
from meshproof.embedded.engine import Engine
from meshproof.embedded.gateway import GatewayRunner
from meshproof.embedded.gateway_names import GATEWAY
from meshproof.embedded.outside import OutsideRunner
from meshproof.embedded.pod.replica import ReplicaRunner
from meshproof.errors import UsageError
from meshproof.model.kube_workloads import WORKLOADS, runs_app, template_of


def find_gateway(engine: Engine, name: str) -> GatewayRunner | None:
    """The gateway of that name: ``gateway``, or its workload's with or without the namespace.

    Raises UsageError where several have it.
    """
    if name == GATEWAY:
        return engine.gateways.ingress
    namespace, _, short = name.rpartition("/")
    runners = [
        r for r in engine.gateways.runners if r.key[1] == short and namespace in ("", r.key[0])
    ]
    if len(runners) > 1:
        titles = ", ".join("/".join(r.key) for r in runners)
        raise UsageError(f"gateway {name} is ambiguous; wanted one of {titles}")
    return runners[0] if runners else None


def find_workload(engine: Engine, name: str) -> tuple[str, str]:
    """Namespace and name. Raises UsageError for an unknown or ambiguous name."""
    return workload_names.resolve(
        name,
        [
            (r.namespace, r.name, dict(template_of(r).metadata.labels).get("app", ""))
            for r in engine.store.of(*WORKLOADS)
            if runs_app(r)
        ],
    )


def find_replicas(engine: Engine, workload: str) -> list[ReplicaRunner]:
    """At least one. Raises UsageError for an unknown workload, and for one without replicas."""
    key = find_workload(engine, workload)
    runners = [r for r in engine.fleet.runners if r.workload.key == key]
    if not runners:
        raise UsageError(f"{workload} has no replica; `meshproof scale {workload}=1` starts one")
    return runners


def find_outside(engine: Engine, name: str) -> OutsideRunner | None:
    """The outside host with that name or alias."""
    return next((host for host in engine.outside if name in host.names), None)
