"""The one reader of input: files, folders, Kustomize folders, standard input and text in memory.

Only text is read here; ``documents`` parses it, and admission judges what it means. The CLI, the
library and both kinds of mesh read through ``read_sources``, so a folder means the same to all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from meshproof.errors import Problem, Refused
from meshproof.inputs import STDIN, Input, Source
from meshproof.sources import kustomize, text_files
from meshproof.sources.case_text import is_case_text

Stdin = str | BinaryIO | None
"""What ``-`` stands for: text, a stream to read it from, or nothing."""


def read_sources(inputs: Iterable[Input], *, stdin: Stdin = None) -> tuple[Source, ...]:
    """The text of every input, in order.

    A folder stands for its ``*.yaml`` and ``*.yml`` by name, not deeper, and without files of
    ``meshproof test``; a Kustomize folder for what it builds; ``-`` for ``stdin``. Raises Refused
    with every input that cannot be read, and for a folder that holds no YAML.
    """
    sources, problems = try_read_sources(inputs, stdin=stdin)
    if problems:
        raise Refused(problems)
    return sources


def try_read_sources(
    inputs: Iterable[Input], *, stdin: Stdin = None
) -> tuple[tuple[Source, ...], list[Problem]]:
    """The same for callers that report more problems beside these."""
    problems: list[Problem] = []
    sources = tuple(s for item in inputs for s in _read_input(item, stdin, problems))
    return sources, problems


def read_stdin(stream: BinaryIO) -> str:
    """The text of standard input. Raises Refused where it is not UTF-8, or too large."""
    problems: list[Problem] = []
    text = _read_stream(stream, problems)
    if text is None:
        raise Refused(problems)
    return text


def read_file(path: str | Path, problems: list[Problem]) -> str | None:
    """The text of one file, or None and one more problem."""
    try:
        return text_files.read_text(Path(path))
    except FileNotFoundError:
        problems.append(_problem(str(path), "there is no such file or folder"))
    except (UnicodeDecodeError, OSError) as error:
        problems.append(_problem(str(path), _reason(error)))
    return None


def _read_input(item: Input, stdin: Stdin, problems: list[Problem]) -> Iterator[Source]:
    if isinstance(item, Source):
        yield item
    elif str(item) == "-":
        if (text := _stdin_text(stdin, problems)) is not None:
            yield Source(STDIN, text)
    elif Path(item).is_dir():
        yield from _read_folder(str(item), problems)
    elif (text := read_file(item, problems)) is not None:
        yield Source(str(item), text)


def _read_folder(folder: str, problems: list[Problem]) -> Iterator[Source]:
    if kustomize.is_kustomize(Path(folder)):
        if built := kustomize.build(folder, problems):
            yield built
        return
    files = sorted(f for f in Path(folder).iterdir() if f.suffix in (".yaml", ".yml"))
    if not files:
        problems.append(_problem(folder, "the folder holds no *.yaml or *.yml"))
    for file in files:
        text = read_file(file, problems)
        if text is not None and not is_case_text(text):
            yield Source(str(file), text)


def _stdin_text(stdin: Stdin, problems: list[Problem]) -> str | None:
    if stdin is None:
        problems.append(_problem(STDIN, "standard input was not given"))
        return None
    return stdin if isinstance(stdin, str) else _read_stream(stdin, problems)


def _read_stream(stream: BinaryIO, problems: list[Problem]) -> str | None:
    try:
        return text_files.read_stream(stream)
    except (UnicodeDecodeError, OSError) as error:
        problems.append(_problem(STDIN, _reason(error)))
        return None


def _reason(error: UnicodeDecodeError | OSError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8 (byte {error.start})"
    return f"cannot be read: {error.strerror}"


def _problem(file: str, message: str) -> Problem:
    return Problem(file, 0, "", "", message, "", "")
