"""EnvoyFilters whose patches do nothing, or whose effect hangs on an order that nobody states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from meshproof.errors import Problem
from meshproof.istio_names import inbound_virtual_host_port
from meshproof.lint.context import LintContext
from meshproof.lint.policy_selection import selected_pods
from meshproof.model.resource import Resource

if TYPE_CHECKING:
    from meshproof.model.envoy_filter import ConfigPatch

_RELATIVE = ("INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "REMOVE")


def find_idle_patches(context: LintContext) -> Iterator[Problem]:
    """An operation that Istio passes over in silence (IST0152, IST0153, IST0154)."""
    for resource in context.of("EnvoyFilter"):
        if not _patches(resource):
            yield resource.problem(("spec",), "has no configPatches, so this does nothing")
        for index, patch in enumerate(_patches(resource)):
            if not patch.is_applied:
                wanted = patch.possible_operations
                yield resource.problem(
                    ("spec", "configPatches", index, "patch", "operation"),
                    f"is {patch.patch.operation} with applyTo {patch.apply_to}, which does nothing",
                    " or ".join(wanted) or "another applyTo",
                )


def find_unordered_patches(context: LintContext) -> Iterator[Problem]:
    """A place relative to another filter, in one of several EnvoyFilters without a priority
    (IST0151, IST0155): which of them is applied first depends on their names and ages."""
    filters = [r for r in context.of("EnvoyFilter") if _patches(r)]
    for resource in filters:
        others = [r for r in filters if r is not resource and r.namespace == resource.namespace]
        if resource.spec.priority or not others:
            continue
        for index, patch in enumerate(_patches(resource)):
            if patch.patch.operation in _RELATIVE:
                yield resource.problem(
                    ("spec", "configPatches", index, "patch", "operation"),
                    f"is {patch.patch.operation}, and without a priority what it meets depends on "
                    f"the order of this and {others[0].title}",
                    "a priority, INSERT_FIRST or ADD",
                )
                break


def find_unknown_ports(context: LintContext) -> Iterator[Problem]:
    """``inbound|http|PORT``, the name of a virtual host by its Service's port, where no Service of
    the selected workloads has that port."""
    for resource in context.of("EnvoyFilter"):
        ports = _service_ports(context, resource)
        for index, patch in enumerate(_patches(resource)):
            routes = patch.match.route_configuration
            name = routes.vhost.name if routes and routes.vhost else ""
            port = inbound_virtual_host_port(name)
            if port is None or not ports or port in ports:
                continue
            yield resource.problem(
                ("spec", "configPatches", index, "match", "routeConfiguration", "vhost", "name"),
                f"is {name}, and no Service of the selected workloads has that port, so this never "
                "holds",
                "one of " + ", ".join(f"inbound|http|{port}" for port in sorted(ports)),
            )


def _service_ports(context: LintContext, resource: Resource) -> set[int]:
    pods = selected_pods(context, resource)
    return {
        port.port
        for service in context.services
        if any(service.selects(namespace, labels) for namespace, labels in pods)
        for port in service.ports
    }


def _patches(resource: Resource) -> list[ConfigPatch]:
    patches: list[ConfigPatch] = resource.spec.config_patches
    return patches
