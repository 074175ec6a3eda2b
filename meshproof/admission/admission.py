"""The one way into a mesh: documents are decoded, placed, checked and linted, or all refused.

Both kinds of mesh admit the same way: unknown kinds and fields, wrong types, invalid values and
regular expressions are refused with file, line and field; rules of Istio 0.4 are lowered; what
dangles is warned of. What holds for one kind of mesh alone is said by its ``Profile``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from meshproof.admission.store import Store
from meshproof.errors import Problem, Refused
from meshproof.inputs import Input
from meshproof.istio04.kinds import any_of_istio04
from meshproof.lint.linter import find_all, with_rule
from meshproof.lint.rules import HINTS, HTTP_ROUTE, ISTIO04
from meshproof.model.kinds import is_gateway_api
from meshproof.model.kube_workloads import WORKLOADS, runs_app, template_of
from meshproof.model.reader import Undecodable, read_resources, with_default_namespace
from meshproof.model.resource import Resource
from meshproof.sources.sources import Stdin


class Profile(Protocol):
    """What one kind of mesh adds to the checks that hold for all."""

    @property
    def keeps_unsupported(self) -> bool:
        """Whether a document with a kind, field or value that no model honours is admitted as it
        was written (``Resource.unsupported``); if not, it is refused."""
        ...

    def check_resources(self, resources: Iterable[Resource]) -> list[Problem]:
        """What is wrong with resources whatever else is applied, such as their images. Asked
        where a call is refused for other documents, so that all problems are reported at once."""
        ...

    def check_store(self, store: Store, resources: Sequence[Resource]) -> None:
        """Raises Refused for what this mesh cannot run. ``store`` holds ``resources`` already."""
        ...

    def findings(self, store: Store) -> list[Problem]:
        """Warnings that lint does not give."""
        ...

    def notes(self, changed: Iterable[Resource]) -> list[str]:
        """What this mesh does without, of resources that were created or configured."""
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """The outcome of a change, before it is made live."""

    store: Store
    messages: tuple[str, ...] = ()
    """``VirtualService default/svcb configured``, a line a resource, as kubectl words it."""
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    changed: tuple[Resource, ...] = ()
    """Those that were created, or configured differently."""


class Admission:
    """Turns input into a new ``Store``, or refuses all of it. Pure but for reading files."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def new_store(self) -> Store:
        """The store of a mesh to which nothing was applied."""
        return Store(verbatim=self._profile.keeps_unsupported)

    def read(
        self,
        inputs: Iterable[Input],
        *,
        stdin: Stdin = None,
        namespace: str = "",
        deleting: bool = False,
    ) -> list[Resource]:
        """The resources of files, folders and texts. Raises Refused with every problem.

        ``deleting``: whether a resource could run does not matter.
        """
        try:
            return read_resources(
                inputs,
                stdin=stdin,
                namespace=namespace,
                keep_unsupported=self._profile.keeps_unsupported,
            )
        except Undecodable as error:
            more = [] if deleting else self._profile.check_resources(error.resources)
            raise Refused([*error.problems, *more]) from None

    def apply(self, store: Store, resources: Sequence[Resource], *, strict: bool) -> Admitted:
        """Create or replace ``resources`` in ``store``.

        Raises Refused for what the profile refuses, for two documents of one identity, for 0.4
        rules that cannot be lowered, and, when ``strict``, for warnings.
        """
        placed = with_default_namespace(resources, default_namespace(store, resources))
        new, messages = store.apply(placed)
        self._profile.check_store(new, placed)
        warnings = [p for p in self._findings(new, placed) if p.rule not in HINTS]
        if strict and warnings:
            raise Refused(warnings)
        changed = tuple(
            resource
            for resource, message in zip(placed, messages, strict=True)
            if not message.endswith(" unchanged")
        )
        mesh_notes = (*self._profile.notes(changed), *_unsupported_notes(changed))
        return Admitted(new, tuple(messages), tuple(warnings), mesh_notes, changed)

    def hints(self, store: Store, resources: Sequence[Resource]) -> list[Problem]:
        """What is good to know of ``resources``, which ``store`` holds; no warning among it."""
        placed = with_default_namespace(resources, default_namespace(store, resources))
        return [p for p in self._findings(store, placed) if p.rule in HINTS]

    def delete(self, store: Store, resources: Sequence[Resource]) -> Admitted:
        """Remove ``resources`` by kind, namespace and name.

        Raises Refused where one is not in ``store``: nothing is deleted then.
        """
        placed = with_default_namespace(resources, default_namespace(store, resources))
        new, messages, missing = store.delete(placed)
        if missing:
            raise Refused(
                r.problem((), "is not in this mesh", remedy="see `meshproof ls`") for r in missing
            )
        return Admitted(new, tuple(messages))

    def _findings(self, store: Store, concerned: Iterable[Resource]) -> list[Problem]:
        """Warnings and hints about ``concerned``, or about anything in their files."""
        resources = store.decoded
        pods = [(w.namespace, template_of(w)) for w in resources if w.kind in WORKLOADS]
        labels = [(namespace, dict(template.metadata.labels)) for namespace, template in pods]
        accounts = {(namespace, template.spec.account) for namespace, template in pods}
        titles = {r.title for r in concerned}
        files = {r.location.file for r in concerned}
        problems = [
            *self._profile.findings(store),
            *_istio04_warnings(store),
            *_route_warnings(store),
            *find_all(store.lowered, store.services, labels, accounts),
        ]
        return [p for p in problems if p.resource in titles or p.file in files]


def _istio04_warnings(store: Store) -> list[Problem]:
    if not any_of_istio04(store.decoded):
        return []
    from meshproof.istio04.warnings import find_istio04_warnings  # noqa: PLC0415  (few have one)

    return [with_rule(ISTIO04, p) for p in find_istio04_warnings(store.decoded, store.services)]


def _route_warnings(store: Store) -> list[Problem]:
    if not any(is_gateway_api(r.api_version) for r in store.decoded):
        return []
    from meshproof.gateway_api.status import reference_warnings  # noqa: PLC0415  (few have one)

    return [with_rule(HTTP_ROUTE, p) for p in reference_warnings(store.decoded, store.services)]


def default_namespace(store: Store, resources: Iterable[Resource]) -> str:
    """The only namespace that has workloads, in ``store`` or among ``resources``; else
    ``default``."""
    workloads = [*store.decoded, *resources]
    namespaces = {r.namespace for r in workloads if runs_app(r) and r.namespace}
    return namespaces.pop() if len(namespaces) == 1 else "default"


def describe_locations(resources: Iterable[Resource]) -> str:
    """Where a refusal by an Envoy, which knows nothing of files, must have come from."""
    return ", ".join(f"{r.title} ({r.location.file}:{r.location.line})" for r in resources)


def _unsupported_notes(resources: Iterable[Resource]) -> list[str]:
    """Why a document is sent as it was written, without lint."""
    return [
        f"{resource.title} is sent as it was written, and is not linted: "
        + "; ".join(f"{p.field} {p.found}" for p in resource.unsupported)
        for resource in resources
        if resource.unsupported
    ]
