"""What meshproof says when it refuses or fails.

Every message is one line that names the file, the line, the field, what was found, what was
wanted and what to do. Nothing here prints; the CLI and pytest decide where a message goes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong (or dangerous) at one place of one file.

    ``line`` counts from 1 and is 0 where no line is known; ``field`` is a dotted path such as
    ``spec.http[0].route[1].weight`` and empty where the whole document is meant.
    """

    file: str
    line: int
    resource: str
    """``Kind namespace/name``, or empty where the document has no readable identity."""
    field: str
    found: str
    wanted: str
    remedy: str
    rule: str = ""
    """Which check found it (``meshproof.lint.rules``); empty for what is refused."""
    unsupported: bool = dataclasses.field(default=False, compare=False)
    """Valid to Istio or Kubernetes, but not honoured by the embedded mesh: refused there, no
    problem on a cluster."""

    def __str__(self) -> str:
        position = f"{self.file}:{self.line}" if self.line else self.file
        subject = ": ".join(part for part in (self.resource, self.field) if part)
        text = f"{position}: {subject}: {self.found}" if subject else f"{position}: {self.found}"
        if self.wanted:
            text += f"; wanted {self.wanted}"
        if self.remedy:
            text += f"; {self.remedy}"
        return text

    def as_dict(self) -> dict[str, str | int]:
        """The same as plain data, for ``-o json``."""
        return {
            "file": self.file,
            "line": self.line,
            "resource": self.resource,
            "field": self.field,
            "found": self.found,
            "wanted": self.wanted,
            "remedy": self.remedy,
            "rule": self.rule,
        }


class MeshproofError(Exception):
    """Something failed; ``exit_code`` is what the CLI ends with."""

    exit_code = 1


class Refused(MeshproofError):
    """The input cannot be taken; nothing of it was applied. Carries every problem at once."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class UsageError(MeshproofError):
    """The call's words are off: an unknown workload, an ambiguous name, a missing option."""

    exit_code = 2


class NotLive(MeshproofError):
    """A change was sent, but a sidecar refused it or stayed silent; the mesh was put back."""


class Unsupported(MeshproofError):
    """This mesh does not have the capability that was asked for."""

    exit_code = 2
