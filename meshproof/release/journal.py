"""The file that says where a release stands: whoever finds it can take the release up, or back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.release.state import Course


@dataclass(frozen=True, slots=True)
class Impact:
    """The new version's calls that went badly, over the whole release."""

    calls: int = 0
    """All that it got."""
    failed: int = 0
    slowed: int = 0
    """Answered, but the margin later than the old version's median of the same step."""

    def __add__(self, other: Impact) -> Impact:
        return Impact(
            self.calls + other.calls, self.failed + other.failed, self.slowed + other.slowed
        )


@dataclass(frozen=True, slots=True)
class JournalEntry:
    course: Course
    cursor: str = "now"
    """Where in the access logs the evidence of this step begins."""
    hurt: Impact = field(default_factory=Impact)
    """Of the steps before this one."""


class Journal:
    """One file a service. Written whole or not at all, before what it says is done."""

    def __init__(self, folder: Path, namespace: str, service: str) -> None:
        self._path = folder / f"release-{namespace}-{service}.json"

    def write(self, entry: JournalEntry) -> None:
        said = {
            "course": entry.course.as_dict(),
            "cursor": entry.cursor,
            "hurt": asdict(entry.hurt),
        }
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(said), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            raise MeshproofError(f"{self._path}: {error.strerror}") from error

    def read(self) -> JournalEntry | None:
        """What was written last, if a release is still under way by it; None where there is none.

        Raises MeshproofError for a file that says something else.
        """
        try:
            said: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            return JournalEntry(
                Course.from_dict(said["course"]), said["cursor"], Impact(**said["hurt"])
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MeshproofError(
                f"{self._path}: is no release that can be taken up ({error!r}); delete it, and "
                "look at the weights in force with `meshproof ls`"
            ) from error

    def clear(self) -> None:
        """The release is over."""
        self._path.unlink(missing_ok=True)
