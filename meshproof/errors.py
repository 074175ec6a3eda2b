"""Problems with a user's input, and the exceptions of meshproof.

Every message is one line that names the file, the line, the field, what was found, what was wanted
and what to do. Nothing here prints: the CLI and pytest decide where a message goes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or dangerous) at one position of one file.

    ``line`` counts from 1 and is 0 if unknown; ``field`` is a dotted path such as
    ``spec.http[0].route[1].weight``, and empty if the whole document is meant.
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
    """The check that found it (``meshproof.lint.rules``); empty for a refusal."""
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
    """A failure; ``exit_code`` is the CLI's."""

    exit_code = 1


class Refused(MeshproofError):
    """The input is refused and nothing of it was applied; carries every problem at once."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class UsageError(MeshproofError):
    """The call is wrong: an unknown workload, an ambiguous name, a missing option."""

    exit_code = 2


class NotLive(MeshproofError):
    """A change was sent, but a sidecar refused it or did not answer; the mesh was rolled back."""


class Unsupported(MeshproofError):
    """This mesh lacks the required capability."""

    exit_code = 2
