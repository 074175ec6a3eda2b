"""Local rate limits for ports that no Service has: routes are named by the Service's port."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.errors import Problem
from meshproof.istio_names import inbound_virtual_host_port
from meshproof.lint.context import LintContext
from meshproof.lint.policy_selection import selected_pods


def find_unknown_ports(context: LintContext) -> Iterator[Problem]:
    """``inbound|http|PORT`` of an EnvoyFilter, where no Service of its workloads has that port."""
    for policy in context.of("EnvoyFilter"):
        pods = selected_pods(context, policy)
        ports = {
            port.port
            for service in context.services
            for namespace, labels in pods
            if service.selects(namespace, labels)
            for port in service.ports
        }
        for index, patch in enumerate(policy.spec.config_patches):
            if not patch.routes or not ports or inbound_virtual_host_port(patch.routes) in ports:
                continue
            yield policy.problem(
                ("spec", "configPatches", index, "match", "routeConfiguration", "vhost", "name"),
                f"is {patch.routes}, and no Service of the selected workloads has that port, so "
                "this never holds",
                "one of " + ", ".join(f"inbound|http|{port}" for port in sorted(ports)),
            )
