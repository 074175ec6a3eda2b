"""``python -m tools.doc_runner FILE...`` runs documentation pages; ``make tutorial`` uses it.

On a terminal it waits before each step. It prints the page's text, the command and its output.
Exit code 1 if an output differs from the page's. The meshes that a page starts are separate from
your own, and end with the run.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from meshproof.errors import MeshproofError
from tools.doc_runner.document import Document, Prose, Skipped, Step, parse
from tools.doc_runner.run import Failure, differences, shows_pods
from tools.doc_runner.session import Session


class Guide:
    """Shows a page step by step."""

    def __init__(self, session: Session, *, waits: bool, kind: str) -> None:
        self._session = session
        self._waits = waits
        self._kind = kind
        self._pods = shows_pods(kind, os.environ)
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=not waits)
        self.failures: list[Failure] = []

    def show(self, document: Document) -> None:
        """Raises EOFError when the reader has had enough."""
        steps = [s for s in document.steps if s.on in ("", self._kind)]
        for item in document.items:
            match item:
                case Prose(text=text):
                    self._prose(text)
                case Skipped(text=text, why=why):
                    self._console.print(f"{text.rstrip()}\n(not run here: {why})\n", style="dim")
                case Step() if item in steps:
                    self._step(item, document.file, f"{steps.index(item) + 1}/{len(steps)}")

    def _prose(self, text: str) -> None:
        self._console.print(Markdown(text) if self._waits else text)
        self._console.print()

    def _step(self, step: Step, file: str, which: str) -> None:
        self._console.print("$ " + step.command.replace("\n", "\n> "), style="bold")
        if self._waits:
            answer = self._console.input(f"[{which}] Enter runs it, q ends: ")
            if answer.strip().lower() in {"q", "quit"}:
                raise EOFError
        ran = self._session.run(step.command, show=lambda text: self._console.out(text, end=""))
        self._console.print()
        if step.pods and not self._pods:
            self._console.print("(in a mesh without pods its output is another)\n", style="dim")
        elif mismatches := differences(step, ran, self._kind):
            self.failures.append(Failure(file, step, ran, self._kind))
            self._console.print(f"{file}:{step.line}: not as the page shows:", style="red")
            self._console.print("\n".join(mismatches) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.doc_runner", description=__doc__)
    parser.add_argument("file", nargs="+", type=Path)
    parser.add_argument("--no-wait", action="store_true", help="do not wait between steps")
    arguments = parser.parse_args()
    waits = sys.stdin.isatty() and sys.stdout.isatty() and not arguments.no_wait
    try:
        documents = [parse(file.read_text(encoding="utf-8"), str(file)) for file in arguments.file]
        with Session(Path.cwd()) as session:
            guide = Guide(session, waits=waits, kind=os.environ.get("MESH", "embedded"))
            for document in documents:
                guide.show(document)
    except (MeshproofError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print("ended; the meshes of this walk are down")
        return 0
    except KeyboardInterrupt:
        print("\nended; the meshes of this walk are down")
        return 130
    for failure in guide.failures:
        print(f"{failure.file}:{failure.step.line}: not as shown", file=sys.stderr)
    return 1 if guide.failures else 0


if __name__ == "__main__":
    sys.exit(main())
