"""The journal of a release: the file from which another process can resume it, or roll it back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.release.state import ReleaseState


@dataclass(frozen=True, slots=True)
class Impact:
    """The new version's calls that went badly, over the whole release."""

    calls: int = 0
    """All calls that it got."""
    failed: int = 0
    slowed: int = 0
    """Answered, but by more than the margin slower than the old version's median of that step."""

    def __add__(self, other: Impact) -> Impact:
        return Impact(
            self.calls + other.calls, self.failed + other.failed, self.slowed + other.slowed
        )


@dataclass(frozen=True, slots=True)
class JournalEntry:
    state: ReleaseState
    cursor: str = "now"
    """Where in the access logs the evidence of this step begins."""
    impact: Impact = field(default_factory=Impact)
    """Of the steps before this one."""


class Journal:
    """One file per service. It is written atomically, and before what it says is done."""

    def __init__(self, folder: Path, namespace: str, service: str) -> None:
        self._path = folder / f"release-{namespace}-{service}.json"

    def write(self, entry: JournalEntry) -> None:
        content = {
            "state": entry.state.as_dict(),
            "cursor": entry.cursor,
            "impact": asdict(entry.impact),
        }
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(content), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            raise MeshproofError(f"{self._path}: {error.strerror}") from error

    def read(self) -> JournalEntry | None:
        """The last entry of an unfinished release; None where there is none.

        Raises MeshproofError for a file that is not a journal.
        """
        try:
            content: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            state = ReleaseState.from_dict(content["state"])
            return JournalEntry(state, content["cursor"], Impact(**content["impact"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MeshproofError(
                f"{self._path}: is not a release that can be resumed ({error!r}); delete it, and "
                "check the weights in force with `meshproof ls`"
            ) from error

    def clear(self) -> None:
        """The release is over."""
        self._path.unlink(missing_ok=True)
