"""The weights of two versions in the rules in force. Pure, on plain YAML."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.errors import UsageError
from meshproof.model.virtual_service_route import HTTPRouteDestination
from meshproof.model.yaml_writer import documents_to_yaml
from meshproof.translate.host_names import fqdn
from meshproof.translate.route_shares import destination_shares

Document = dict[str, Any]
_API = "networking.istio.io/v1"


@dataclass(frozen=True, slots=True)
class WeightedRule:
    """The VirtualService that splits a service's calls, and which subset is which version."""

    service: str
    namespace: str
    document: Document
    route: int
    """Index of the http route that is changed: the one without a match."""
    subsets: Mapping[str, str]
    """Version -> subset."""
    added: tuple[Document, ...] = ()
    """What must be applied with it: a DestinationRule where there was none."""

    @property
    def host(self) -> str:
        """The service's full name, as it stands in access logs."""
        return fqdn(self.service, self.namespace)

    def weights(self) -> dict[str, int]:
        """Version -> weight in force; a version that gets nothing has 0."""
        entries = self.document["spec"]["http"][self.route]["route"]
        route = [HTTPRouteDestination.model_validate(entry) for entry in entries]
        weights = {share.subset: share.weight for share in destination_shares(route)}
        return {version: weights.get(subset, 0) for version, subset in self.subsets.items()}

    def with_weight(self, old: str, new: str, weight: int) -> str:
        """YAML that gives ``new`` so many of 100 calls, and ``old`` the others."""
        document = copy.deepcopy(self.document)
        route = document["spec"]["http"][self.route]
        entries = {e["destination"].get("subset"): e for e in route["route"]}
        like = next(iter(entries.values()))["destination"]
        split = []
        for version, share in ((old, 100 - weight), (new, weight)):
            subset = self.subsets[version]
            entry = dict(entries.get(subset, {"destination": {**like, "subset": subset}}))
            split.append({**entry, "weight": share})
        route["route"] = split
        return documents_to_yaml([*self.added, document])


def find_weighted_rule(
    documents: Sequence[Document], service: str, namespace: str, old: str, new: str
) -> WeightedRule:
    """The rule of ``service`` among the rules in force; a new one where there is none yet.

    ``old`` may be empty: it is the version with the most weight (``heaviest_version``). Raises
    UsageError where the weights cannot be changed without changing anything else.
    """
    subsets, added = _subsets(documents, service, namespace, (old, new))
    host = fqdn(service, namespace)
    rules = [
        d
        for d in documents
        if d["kind"] == "VirtualService"
        and host in (fqdn(h, d["metadata"]["namespace"]) for h in d["spec"]["hosts"])
    ]
    if not rules:
        return WeightedRule(
            service, namespace, _virtual_service(service, namespace, subsets), 0, subsets, added
        )
    if len(rules) > 1:
        names = ", ".join(d["metadata"]["name"] for d in rules)
        raise UsageError(f"release: {service} has several VirtualServices ({names}); wanted one")
    return WeightedRule(service, namespace, rules[0], _route(rules[0], host, set(subsets.values())),
                subsets, added)  # fmt: skip


def heaviest_version(rule: WeightedRule, new: str) -> str:
    """The version that ``new`` replaces: of the others, the one that gets most of the calls."""
    others = {v: w for v, w in rule.weights().items() if v != new}
    most = max(others.values(), default=0)
    candidates = [v for v, w in others.items() if w == most]
    if len(candidates) != 1 and most == 0 and rule.weights().get(new) == 100:
        raise UsageError(f"release: all calls to {rule.service} go to {new} already")
    if len(candidates) != 1:
        raise UsageError(
            f"release: which version of {rule.service} does {new} replace? name it with --from; "
            f"there are {', '.join(others) or 'no others'}"
        )
    return candidates[0]


def _subsets(
    documents: Sequence[Document], service: str, namespace: str, versions: Sequence[str]
) -> tuple[dict[str, str], tuple[Document, ...]]:
    host = fqdn(service, namespace)
    rules = [
        d
        for d in documents
        if d["kind"] == "DestinationRule"
        and fqdn(d["spec"]["host"], d["metadata"]["namespace"]) == host
    ]
    required = [v for v in versions if v]
    if not rules:
        subsets = {v: v.replace(".", "-") for v in required}
        return subsets, (_destination_rule(service, namespace, subsets),)
    subsets = {
        s["labels"]["version"]: s["name"]
        for d in rules
        for s in d["spec"].get("subsets", [])
        if list(s.get("labels", {})) == ["version"]
    }
    if missing := [v for v in required if v not in subsets]:
        names = ", ".join(d["metadata"]["name"] for d in rules)
        raise UsageError(
            f"release: DestinationRule {names} has no subset with the label version: {missing[0]}"
            f" alone; it has {', '.join(subsets) or 'none'}"
        )
    return subsets, ()


def _route(document: Document, host: str, subsets: set[str]) -> int:
    """The index of the http route for every call; it must go to this service only."""
    name, namespace = document["metadata"]["name"], document["metadata"]["namespace"]
    routes = document["spec"].get("http", [])
    unmatched = [i for i, http in enumerate(routes) if not http.get("match")]
    if not unmatched:
        raise UsageError(f"release: VirtualService {name} has no http route without a match")
    for entry in routes[unmatched[0]].get("route", []):
        to = entry["destination"]
        if fqdn(to["host"], namespace) != host:
            raise UsageError(f"release: VirtualService {name} sends calls to {to['host']} too")
        if entry.get("weight", 0) and to.get("subset") not in subsets:
            raise UsageError(
                f"release: VirtualService {name} sends calls to subset {to.get('subset')}, which"
                " is not that of one version"
            )
    if not routes[unmatched[0]].get("route"):
        raise UsageError(f"release: VirtualService {name} has a route without destinations")
    return unmatched[0]


def _metadata(service: str, namespace: str) -> Document:
    return {"name": service, "namespace": namespace}


def _virtual_service(service: str, namespace: str, subsets: Mapping[str, str]) -> Document:
    destinations = [{"destination": {"host": service, "subset": s}} for s in subsets.values()]
    return {
        "apiVersion": _API,
        "kind": "VirtualService",
        "metadata": _metadata(service, namespace),
        "spec": {"hosts": [service], "http": [{"route": destinations}]},
    }


def _destination_rule(service: str, namespace: str, subsets: Mapping[str, str]) -> Document:
    entries = [{"name": s, "labels": {"version": v}} for v, s in subsets.items()]
    return {
        "apiVersion": _API,
        "kind": "DestinationRule",
        "metadata": _metadata(service, namespace),
        "spec": {"host": service, "subsets": entries},
    }
