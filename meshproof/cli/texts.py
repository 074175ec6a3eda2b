"""Reads the files of ``-f`` here, in the caller's folder and with the caller's standard input.

The mesh gets their text and their names as the caller wrote them, so its messages point at the
caller's files. Reading is all that happens here: what the YAML means is for the mesh to say.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from meshproof.errors import Problem, Refused
from meshproof.sources import text_files
from meshproof.sources.kustomize import build, is_kustomize

STDIN = "<stdin>"


def read_texts(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Name and text of every file; a folder stands for its ``*.yaml`` and ``*.yml``, not deeper.

    Raises Refused with every file that cannot be read.
    """
    problems: list[Problem] = []
    texts = [text for path in paths for text in _texts(path, problems)]
    if problems:
        raise Refused(problems)
    return texts


def read_stdin() -> str:
    """Raises Refused where it is not UTF-8, or too large."""
    try:
        return text_files.decoded(sys.stdin.buffer)
    except UnicodeDecodeError as error:
        raise Refused([_problem(STDIN, f"is not UTF-8 (byte {error.start})")]) from None
    except OSError as error:
        raise Refused([_problem(STDIN, f"cannot be read: {error.strerror}")]) from None


def _texts(path: str, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    if path == "-":
        yield STDIN, read_stdin()
        return
    files = [Path(path)]
    if files[0].is_dir():
        if is_kustomize(files[0]):
            if built := build(path, problems):
                yield built[1], built[0]
            return
        files = sorted(f for f in files[0].iterdir() if f.suffix in (".yaml", ".yml"))
        if not files:
            problems.append(_problem(path, "the folder holds no *.yaml or *.yml"))
    for file in files:
        try:
            yield str(file), text_files.read_text(file)
        except UnicodeDecodeError as error:
            problems.append(_problem(str(file), f"is not UTF-8 (byte {error.start})"))
        except FileNotFoundError:
            problems.append(_problem(str(file), "there is no such file or folder"))
        except OSError as error:
            problems.append(_problem(str(file), f"cannot be read: {error.strerror}"))


def _problem(file: str, found: str) -> Problem:
    return Problem(file, 0, "", "", found, "", "")
