"""Walks a page: runs its steps in order and says where it is not true."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from meshproof.embedded.pod_mode import runs_pods
from tools.doc_runner.compare import difference, same
from tools.doc_runner.document import Document, Step
from tools.doc_runner.session import Ran, Session


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that did not do what the page says."""

    file: str
    step: Step
    ran: Ran
    kind: str = "embedded"

    def __str__(self) -> str:
        where = f"{self.file}:{self.step.line}: $ {self.step.command}"
        return "\n".join([where, *differences(self.step, self.ran, self.kind)])


def differences(step: Step, ran: Ran, kind: str = "embedded") -> list[str]:
    """What is not as the page says of a mesh of this kind; nothing where all is."""
    mismatches = []
    if ran.code != step.code:
        mismatches.append(f"exit code {ran.code}; the page says {step.code}")
    on_cluster = kind != "embedded"
    if step.wanted is not None and not same(step.wanted, ran.output, on_cluster=on_cluster):
        mismatches.append(difference(step.wanted, ran.output))
    elif mismatches and step.wanted is None:
        mismatches.append(ran.output.rstrip())
    return mismatches


def shows_pods(kind: str, environ: Mapping[str, str]) -> bool:
    """Whether a mesh of this kind does what pages show of pods; a cluster has real ones."""
    return kind != "embedded" or runs_pods(environ)


def walk(
    document: Document, session: Session, kind: str = "embedded", *, within: float = 120.0
) -> Iterator[Failure]:
    """Run every step that is for this kind of mesh; yields those that are not as shown.

    What a page shows of pods is compared where there are some.

    A step that fails does not end the walk: later ones may say why. Raises SessionError where
    the shell ended, or where a command did not end ``within`` so many seconds.
    """
    pods = shows_pods(kind, os.environ)
    for step in document.steps:
        if step.on in ("", kind):
            ran = session.run(step.command, within=within)
            if (pods or not step.pods) and differences(step, ran, kind):
                yield Failure(document.file, step, ran, kind)
