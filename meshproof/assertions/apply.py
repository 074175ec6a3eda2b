"""Rules for one test: files or YAML text, applied on top of the project, gone after the test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from meshproof.errors import UsageError
from meshproof.mesh import Applied, Mesh

Rule = str | Path
"""A file or folder; or YAML, told by its line breaks."""


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
        if texts:
            return self._mesh.apply_text(
                str(texts[0]), namespace=namespace, strict=strict, file="<the test's YAML>"
            )
        return self._mesh.apply(
            [self.path(rule) for rule in rules], namespace=namespace, strict=strict
        )

    def path(self, rule: Rule) -> Path:
        """As it counts from the root folder."""
        return self._root / rule

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
        if not is_text(rule):
            return self._mesh.delete([self.path(rule)])
        with self._as_file(str(rule)) as path:
            return self._mesh.delete([path])

    @contextlib.contextmanager
    def _as_file(self, text: str) -> Iterator[Path]:
        """The contract deletes by files."""
        import tempfile  # noqa: PLC0415 (few tests do)

        with tempfile.TemporaryDirectory(prefix="meshproof-rule-") as folder:
            path = Path(folder) / "rule.yaml"
            path.write_text(text, encoding="utf-8")
            yield path


def is_text(rule: Rule) -> bool:
    return isinstance(rule, str) and "\n" in rule


def _short(rule: Rule) -> str:
    return "the test's YAML" if is_text(rule) else str(rule)
