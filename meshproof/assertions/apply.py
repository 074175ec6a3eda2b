"""Rules for one test: files or YAML text, applied on top of the project, gone after the test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from meshproof.errors import UsageError
from meshproof.mesh import Applied, Mesh, Source

Rule = str | Path
"""A file or folder; or YAML, told by its line breaks."""
_INLINE = "<the test's YAML>"


class Apply:
    """``apply("rules/canary.yaml")``, ``apply("a.yaml", "b.yaml")``, ``apply('''YAML''')``.

    Paths count from ``root``, pytest's root folder. What is applied together is live together, or
    not at all: Refused says file, line, field and remedy. The mesh is back to the project's own
    rules after the test.
    """

    def __init__(self, mesh: Mesh, root: Path) -> None:
        self._mesh, self._root = mesh, root

    def __call__(self, *rules: Rule, namespace: str = "", strict: bool = False) -> Applied:
        """Live on every sidecar that it concerns when this returns. ``namespace`` is for documents
        that name none; ``strict`` refuses on warnings too."""
        texts = [rule for rule in rules if is_text(rule)]
        if not rules or (texts and len(rules) > 1):
            raise UsageError("apply wants files and folders, or one YAML text")
        sources = [self.source(rule) for rule in rules]
        return self._mesh.apply(sources, namespace=namespace, strict=strict)

    def source(self, rule: Rule) -> Path | Source:
        """A path as it counts from the root folder, or the YAML itself."""
        return Source(_INLINE, str(rule)) if is_text(rule) else self._root / rule

    @contextlib.contextmanager
    def during(self, rule: Rule) -> Iterator[None]:
        """Applied inside the block alone. Raises UsageError where one of its resources stands
        already: taking it away would not bring the old one back."""
        applied = self(rule)
        stood = [said for said in applied.resources if not said.endswith(" created")]
        if stood:
            raise UsageError(
                f"{_short(rule)} is to be applied for a moment, but it stands already:"
                f" {', '.join(stood)}; leave it out of what is applied before"
            )
        try:
            yield
        finally:
            self.remove(rule)

    def remove(self, rule: Rule) -> Applied:
        """Delete every resource of it."""
        return self._mesh.delete([self.source(rule)])


def is_text(rule: Rule) -> bool:
    return isinstance(rule, str) and "\n" in rule


def _short(rule: Rule) -> str:
    return "the test's YAML" if is_text(rule) else str(rule)
