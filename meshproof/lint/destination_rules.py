"""DestinationRules without effect: for no such host, or with subsets that no pod is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.errors import Problem
from meshproof.lint.context import LintContext
from meshproof.model.resource import Resource
from meshproof.translate.host_names import fqdn
from meshproof.translate.world import Service


def find_unknown_hosts(context: LintContext) -> Iterator[Problem]:
    """A host (or wildcard) that no Service and no ServiceEntry has."""
    for host, rules in context.destination_rules.items():
        if host == "*" or context.holds_any(host):
            continue
        for rule in rules:
            yield rule.problem(
                ("spec", "host"),
                f"host {host} is neither a Service nor a ServiceEntry; Istio applies the rule to "
                "nothing",
                remedy=context.remedy(rule.spec.host),
            )


def find_out_of_sight(context: LintContext) -> Iterator[Problem]:
    """Istio looks for a host's rules in the caller's namespace, in the host's, and in the root."""
    running = {namespace for namespace, _ in context.pods}
    for host, rules in context.destination_rules.items():
        service = context.by_fqdn.get(host)
        for rule in rules if service and running else ():
            assert service is not None, "without a service there are no rules here"
            if (
                rule.namespace in (service.namespace, context.mesh.root_namespace)
                or rule.namespace in running
            ):
                continue
            yield rule.problem(
                ("spec", "host"),
                f"{host} is of another namespace, and nothing runs in {rule.namespace}: Istio looks"
                " for rules of a host in its own namespace and in its callers'",
                remedy=f"put it into namespace {service.namespace}",
            )


def find_empty_subsets(context: LintContext) -> Iterator[Problem]:
    """Labels that no pod of the Service, or no endpoint of the ServiceEntry, carries.

    A Service's subset keeps its (empty) cluster: 503, flag UH. A ServiceEntry's loses it: 503, NC.
    """
    for rule in context.of("DestinationRule"):
        host = fqdn(rule.spec.host, rule.namespace)
        for index, subset in enumerate(rule.spec.subsets):
            path = ("spec", "subsets", index, "labels")
            text = ", ".join(f"{k}={v}" for k, v in subset.labels.items())
            if not subset.labels:
                continue
            if host in context.by_fqdn:
                if not _has_pod(context, context.by_fqdn[host], subset.labels):
                    yield rule.problem(
                        path,
                        f"no pod of {host} carries {text}; Istio answers requests for subset "
                        f"{subset.name} with 503 (no healthy upstream, flag UH)",
                        remedy="correct the labels, or start such a workload",
                    )
            elif host in context.entries and not _has_endpoint(
                context.entries[host], subset.labels
            ):
                yield rule.problem(
                    path,
                    f"no endpoint of {host} carries {text}; Istio answers requests for subset "
                    f"{subset.name} with 503 (flag NC)",
                    remedy="label the ServiceEntry's endpoints",
                )


def _has_pod(context: LintContext, service: Service, labels: Mapping[str, str]) -> bool:
    selector = {**service.selector, **labels}
    clash = any(service.selector.get(k, v) != v for k, v in labels.items())
    return not clash and any(
        namespace == service.namespace and selector.items() <= carried.items()
        for namespace, carried in context.pods
    )


def _has_endpoint(entries: list[Resource], labels: Mapping[str, str]) -> bool:
    return any(
        entry.spec.workload_selector is not None  # its pods may carry any labels
        or any(labels.items() <= endpoint.labels.items() for endpoint in entry.spec.endpoints)
        for entry in entries
    )
