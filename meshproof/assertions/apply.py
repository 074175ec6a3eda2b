"""``apply``: rules for one test, as files or YAML text, on top of the project's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from meshproof.errors import UsageError
from meshproof.mesh import Applied, Mesh, Source

Rule = str | Path
"""A file or folder; or YAML text, recognized by its line breaks."""
_INLINE = "<the test's YAML>"


class Apply:
    """``apply("rules/canary.yaml")``, ``apply("a.yaml", "b.yaml")``, ``apply('''YAML''')``.

    Paths are relative to ``root``, pytest's root folder. What is applied together is live together,
    or not at all: Refused names file, line, field and remedy. After the test the mesh has only the
    project's own rules again.
    """

    def __init__(self, mesh: Mesh, root: Path) -> None:
        self._mesh, self._root = mesh, root

    def __call__(self, *rules: Rule, namespace: str = "", strict: bool = False) -> Applied:
        """When this returns, the rules are live on every sidecar that they concern.

        ``namespace`` is for documents without one; ``strict`` refuses on warnings too.
        """
        texts = [rule for rule in rules if is_text(rule)]
        if not rules or (texts and len(rules) > 1):
            raise UsageError("apply wants files and folders, or one YAML text")
        sources = [self.source(rule) for rule in rules]
        return self._mesh.apply(sources, namespace=namespace, strict=strict)

    def source(self, rule: Rule) -> Path | Source:
        """The path below the root folder, or the YAML text itself."""
        return Source(_INLINE, str(rule)) if is_text(rule) else self._root / rule

    @contextlib.contextmanager
    def during(self, rule: Rule) -> Iterator[None]:
        """Applied inside the block only. Raises UsageError where one of its resources exists
        already: deleting it would not restore the old one."""
        applied = self(rule)
        existing = [line for line in applied.resources if not line.endswith(" created")]
        if existing:
            raise UsageError(
                f"{_short(rule)} is to be applied for a moment, but it is applied already:"
                f" {', '.join(existing)}; do not apply it before"
            )
        try:
            yield
        finally:
            self.remove(rule)

    def remove(self, rule: Rule) -> Applied:
        """Delete every resource of the rule."""
        return self._mesh.delete([self.source(rule)])


def is_text(rule: Rule) -> bool:
    return isinstance(rule, str) and "\n" in rule


def _short(rule: Rule) -> str:
    return "the test's YAML" if is_text(rule) else str(rule)
