"""What goes into the image is what is tested here: same versions, same hashes, nothing more."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "services" / "requirements.lock"
DIRECT = ("flask", "gunicorn", "prometheus-client", "requests")


def locked(path: Path) -> dict[str, str]:
    """Name -> version and hashes. Where it is wanted (``; python_version ...``) is left out: a
    package may be wanted everywhere by one list and somewhere by another."""
    text = re.sub(r" ; .*(?= \\$)", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())
    return {re.split(r"==", entry)[0].lower(): entry for entry in entries}


def test_the_image_has_what_is_tested() -> None:
    everything = locked(ROOT / "requirements.lock")
    for name, entry in locked(LOCK).items():
        assert entry == everything[name]


def test_nothing_is_missing_and_nothing_too_much() -> None:
    wanted, todo = set(), list(DIRECT)
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name not in wanted:
            wanted.add(name)
            todo += [
                re.split(r"[^A-Za-z0-9._-]", need)[0]
                for need in requires(name) or []
                if "extra ==" not in need and "python_version <" not in need
                and "platform_system" not in need and "sys_platform" not in need
            ]  # fmt: skip
    assert set(locked(LOCK)) == wanted


@pytest.mark.parametrize("file", ["requirements.lock", "Dockerfile"])
def test_no_index_address(file: str) -> None:
    assert "://" not in (ROOT / "services" / file).read_text(encoding="utf-8")


def test_every_entry_is_pinned_and_hashed() -> None:
    for entry in locked(LOCK).values():
        assert re.match(r"[A-Za-z0-9._-]+==\S+ \\\n\s+--hash=sha256:[0-9a-f]{64}", entry)
