"""Files that only this user may read, whatever the umask says."""

from __future__ import annotations

import os
from pathlib import Path

MODE = 0o600


def write(path: Path, text: str) -> None:
    """Make or replace a file's text; a symbolic link at its place is refused (OSError)."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, MODE)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        os.fchmod(file, MODE)  # it may have been there with another mode
        opened.write(text)
