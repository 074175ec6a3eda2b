"""Reads a Markdown page into what a reader does with it. Pure: text in, items out.

A fenced block ``console`` holds commands and what they print::

    $ meshproof url gateway
    http://127.216.0.2:8080
    $ cat > rule.yaml <<'EOF'
    > kind: VirtualService
    > EOF

``$ `` begins a command, ``> `` goes on with it, everything else is output. A block ``sh`` is
commands alone, whatever they print. A comment just before a block says more about it; readers of
the page do not see it:

``<!-- run: no, WHY -->``         it is not run
``<!-- run: exit 2 -->``          its last command ends with that code (without it: with 0)
``<!-- run: save as FILE -->``    the block is the text of a file in the current folder
``<!-- run: on embedded -->``     only on that kind of mesh (``MESH``)
``<!-- run: as in pods -->``      its output is that of a mesh in pods, and compared there alone
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from meshproof.errors import MeshproofError

_NOTE = re.compile(r"<!--\s*run:\s*(.*?)\s*-->", re.DOTALL)
_EXIT = re.compile(r"exit (\d{1,3})")
_SAVE = re.compile(r"save as (\S+)")
_ON = re.compile(r"on ([a-z]+)")
_PODS = "as in pods"
_NO = re.compile(r"no, (.+)", re.DOTALL)


class DocumentError(MeshproofError):
    """A page that cannot be walked: ``FILE:LINE: what is wrong``."""


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown between two blocks that are run, blocks that are not run included."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the page."""

    command: str
    wanted: str | None
    """What the page shows beneath it; None where it shows no output on purpose."""
    line: int
    heading: str = ""
    """The nearest heading above, without its ``#``."""
    code: int = 0
    on: str = ""
    """The only kind of mesh that it is for, or empty."""
    pods: bool = False
    """Whether it shows what a mesh in pods does; without them its output is another."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A block of commands that is not run, and why."""

    text: str
    line: int
    why: str


Item = Prose | Step | Skipped


@dataclass(frozen=True, slots=True)
class Document:
    file: str
    items: tuple[Item, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(item for item in self.items if isinstance(item, Step))

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return tuple(item for item in self.items if isinstance(item, Skipped))

    def under(self, *headings: str) -> Document:
        """The steps beneath these headings alone; DocumentError for one that has no steps."""
        for heading in headings:
            if not any(step.heading == heading for step in self.steps):
                raise DocumentError(f"{self.file}: no steps under a heading {heading!r}")
        return replace(self, items=tuple(s for s in self.steps if s.heading in headings))


@dataclass(frozen=True, slots=True)
class _Note:
    """What the comment before a block says of it."""

    skip: str = ""
    code: int = 0
    save: str = ""
    on: str = ""
    pods: bool = False


def parse(text: str, file: str) -> Document:
    """Read a page; ``file`` names it in errors.

    Raises DocumentError for a note that is not understood, a note without a block, and for
    commands in a block that is not marked ``console``.
    """
    lines = text.splitlines()
    items: list[Item] = []
    heading, note, noted_at = "", "", 0
    began = 0  # the first line that is in no item yet, from 0
    tokens = MarkdownIt().parse(text)
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        start, end = token.map or (0, 0)
        if token.type == "heading_open" and after is not None:
            heading = after.content
        if token.type == "fence":
            done = _block(
                token, _parse_note(note, f"{file}:{noted_at}"), heading, f"{file}:{start + 1}"
            )
            if done:
                items += _prose(lines, began, (noted_at - 1) if note else start)
                items += done
                began = end
            note = ""
        elif note and token.map:
            raise DocumentError(f"{file}:{noted_at}: no block follows: {note}")
        elif token.type == "html_block" and (match := _NOTE.fullmatch(token.content.strip())):
            note, noted_at = match[1], start + 1
    if note:
        raise DocumentError(f"{file}:{noted_at}: no block follows: {note}")
    return Document(file, (*items, *_prose(lines, began, len(lines))))


def _prose(lines: list[str], start: int, end: int) -> list[Item]:
    while start < end and not lines[start].strip():
        start += 1
    text = "\n".join(lines[start:end]).rstrip()
    return [Prose(text, start + 1)] if text else []


def _parse_note(note: str, where: str) -> _Note:
    if not note:
        return _Note()
    if match := _NO.fullmatch(note):
        return _Note(skip=match[1])
    if match := _EXIT.fullmatch(note):
        return _Note(code=int(match[1]))
    if match := _SAVE.fullmatch(note):
        return _Note(save=match[1])
    if match := _ON.fullmatch(note):
        return _Note(on=match[1])
    if note == _PODS:
        return _Note(pods=True)
    raise DocumentError(
        f"{where}: run: {note}; wanted 'no, WHY', 'exit N', 'save as FILE', 'on KIND' or '{_PODS}'"
    )


def _block(token: Token, note: _Note, heading: str, where: str) -> list[Item]:
    """The items of a fenced block; none where it is only to be read."""
    line = int(where.rpartition(":")[2])
    sort = (token.info.split() or [""])[0]
    if note.save:
        command = f"cat > {shlex.quote(note.save)} <<'END_OF_FILE'\n{token.content}END_OF_FILE"
        return [Step(command, None, line, heading, on=note.on)]
    if sort not in {"console", "sh"}:
        if token.content.startswith("$ "):
            raise DocumentError(f"{where}: commands in a block {sort!r}; wanted ```console")
        return []
    if note.skip:
        return [Skipped(token.content, line, note.skip)]
    if sort == "sh":
        steps = [Step(token.content.strip(), None, line + 1, heading)]
    else:
        steps = _console(token.content, heading, where)
    steps[-1] = replace(steps[-1], code=note.code)
    return [replace(step, on=note.on, pods=note.pods) for step in steps]


def _console(content: str, heading: str, where: str) -> list[Step]:
    file, _, first = where.rpartition(":")
    steps: list[Step] = []
    for number, line in enumerate(content.splitlines(), int(first) + 1):
        if line.startswith("$ "):
            steps.append(Step(line[2:], "", number, heading))
        elif not steps:
            raise DocumentError(f"{file}:{number}: output before any command: {line}")
        elif line[:2] in {"> ", ">"} and steps[-1].wanted == "":
            steps[-1] = replace(steps[-1], command=f"{steps[-1].command}\n{line[2:]}")
        else:
            steps[-1] = replace(steps[-1], wanted=f"{steps[-1].wanted}{line}\n")
    if not steps:
        raise DocumentError(f"{where}: a block without a command")
    return steps
