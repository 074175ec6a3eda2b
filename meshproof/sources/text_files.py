"""Files of YAML as text, up to a size: what is endless, or no YAML, must not fill the memory."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

LIMIT = 16 << 20
"""Bytes of one file. A Kubernetes object has at most 1.5 MB; this is a whole cluster's."""


def read_text(path: Path) -> str:
    """Raises OSError for a file that is larger, UnicodeDecodeError for one that is no UTF-8."""
    with path.open("rb") as file:
        return decoded(file)


def decoded(file: BinaryIO) -> str:
    """The same for an open one."""
    data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise OSError(errno.EFBIG, f"it has more than {LIMIT >> 20} MB; split it")
    return data.decode("utf-8-sig")
