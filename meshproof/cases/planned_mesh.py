"""The mesh that files describe, for static cases: admitted, translated, and never started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from meshproof.admission.admission import default_namespace
from meshproof.admission.store import Store
from meshproof.cases.case import CaseRequest, RuleSet
from meshproof.cases.istio_config_validator import ANY_CLIENT
from meshproof.cases.stand_ins import CLIENT, with_stand_ins
from meshproof.cases.tokens import authorization
from meshproof.cases.validator_rules import DEFAULT_NAMESPACE
from meshproof.embedded import explain_adapter
from meshproof.embedded.admission.profile import embedded_admission
from meshproof.explain import Explanation, Fleet, Proxy
from meshproof.explain.question import Question, explain_question, gateway_names
from meshproof.inputs import Input
from meshproof.model.reader import read_resources, with_default_namespace
from meshproof.model.resource import Resource
from meshproof.project import Project

_RULE_GROUPS = ("istio.io", "gateway.networking.k8s.io")


def is_rule(resource: Resource) -> bool:
    """Whether a resource steers the mesh, as opposed to running in it."""
    return resource.api_version.partition("/")[0].endswith(_RULE_GROUPS)


@dataclass(frozen=True)
class PlannedMesh:
    """``rules`` are the resources under test, all of them in ``store``."""

    store: Store
    project: Project
    rules: tuple[Resource, ...]

    @cached_property
    def fleet(self) -> Fleet:
        return explain_adapter.planned_fleet(self.store, self.project)

    @cached_property
    def _workloads(self) -> list[tuple[str, str, str]]:
        return sorted(
            {
                (p.namespace, p.workload.rpartition("/")[2], p.app)
                for p in self.fleet.proxies
                if not p.gateway
            }
        )

    @property
    def workloads(self) -> list[tuple[str, str, str]]:
        """Namespace, name and ``app`` label of each workload, without stand-ins."""
        return [w for w in self._workloads if w[1] != CLIENT]

    @cached_property
    def gateways(self) -> Mapping[str, Proxy]:
        """The gateways by each of their names as a sender."""
        own = [p for p in self.fleet.proxies if p.gateway]
        return {name: proxy for proxy in reversed(own) for name in gateway_names(proxy)}

    @cached_property
    def versions(self) -> frozenset[tuple[str, str, str, str]]:
        """Namespace, name, ``app`` label and version of each workload."""
        return frozenset(
            (p.namespace, p.workload.rpartition("/")[2], p.app, p.version)
            for p in self.fleet.proxies
            if not p.gateway
        )

    @property
    def outside(self) -> frozenset[str]:
        return frozenset(
            name for host, out in self.project.outside.items() for name in (host, *out.aliases)
        )

    def explain(self, request: CaseRequest) -> Explanation:
        """What becomes of a request. Raises UsageError for an unknown sender or URL."""
        sender = request.sender
        if sender == ANY_CLIENT:
            sender = f"{self._namespace_of(request.url)}/{CLIENT}"
        headers = [*request.headers, *authorization(request.token)]
        question = Question(sender, request.url, request.method, headers)
        return explain_question(self.fleet, self.store.lowered, question)

    def _namespace_of(self, url: str) -> str:
        """Of the first rule that names the host; Istio's short hosts belong to it."""
        host = urlsplit(url).hostname or ""
        rules = [r for r in self.store.lowered if r.kind == "VirtualService"]
        named = [r.namespace for r in rules if host in r.spec.hosts]
        return next(iter([*named, *(r.namespace for r in rules)]), DEFAULT_NAMESPACE)

    def find(self, kind: str, namespace: str, name: str) -> Resource | None:
        return next((r for r in self.store.lowered if r.key == (kind, namespace, name)), None)


@dataclass
class Planner:
    """Plans one mesh for each set of rules, on top of a project's manifests and further files."""

    project: Project
    inputs: Sequence[Input] = ()
    """Files on top of the manifests: of ``-f``."""
    namespace: str = ""
    stdin: BinaryIO | None = None
    _meshes: dict[RuleSet, PlannedMesh] = field(default_factory=dict)
    _bases: dict[tuple[Path, ...] | None, list[Resource]] = field(default_factory=dict)

    def base(self, manifests: tuple[Path, ...] | None = None) -> list[Resource]:
        """The manifests, by default the project's, and the further files. Raises Refused."""
        if manifests not in self._bases:
            own = read_resources(
                self.project.manifests if manifests is None else manifests,
                stdin=self.project.stdin,
            )
            namespace = default_namespace(Store(), [*own, *self._further])
            own = with_default_namespace(own, namespace)
            on_top = with_default_namespace(self._further, namespace)
            keys = {r.key for r in on_top}
            self._bases[manifests] = [*(r for r in own if r.key not in keys), *on_top]
        return self._bases[manifests]

    @cached_property
    def _further(self) -> list[Resource]:
        return read_resources(self.inputs, stdin=self.stdin, namespace=self.namespace)

    def rules(self, rules: RuleSet) -> list[Resource]:
        """The resources under test, as they were read."""
        return read_resources(rules.files, namespace=rules.namespace)

    def plan(self, rules: RuleSet) -> PlannedMesh:
        """Raises Refused where ``apply`` would."""
        if rules not in self._meshes:
            base = self.base(rules.manifests)
            self._meshes[rules] = plan_mesh(self.project, base, self.rules(rules))
        return self._meshes[rules]


def plan_mesh(
    project: Project, base: Sequence[Resource], on_top: Sequence[Resource] = ()
) -> PlannedMesh:
    """The mesh of ``base`` and ``on_top``, which is under test; without it, the rules of ``base``
    are. Raises Refused where ``apply`` would."""
    complete = with_stand_ins(project, [*base, *on_top])
    admission = embedded_admission(complete)
    store = admission.apply(admission.new_store(), base, strict=False).store
    if on_top:
        store = admission.apply(store, on_top, strict=False).store
    keys = {(r.kind, r.name) for r in (on_top or base) if is_rule(r)}
    under_test = (r for r in store.resources if is_rule(r) and (r.kind, r.name) in keys)
    return PlannedMesh(store, complete, tuple(under_test))


def proxy_named(fleet: Fleet, name: str) -> Proxy | None:
    return next((p for p in fleet.proxies if p.name == name), None)
