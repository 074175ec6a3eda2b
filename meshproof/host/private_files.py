"""Files that only their owner may read, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path

MODE = 0o600


def write(path: Path, text: str) -> None:
    """Create a file or replace its text; a symbolic link at the path is refused (OSError)."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, MODE)  # it may have existed with another mode
        file.write(text)
