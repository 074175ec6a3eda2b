"""Reads text files up to a size limit, so that an endless or binary file cannot fill memory."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

LIMIT = 16 << 20
"""Bytes of one file. A Kubernetes object has at most 1.5 MB; this is a whole cluster's."""


def read_text(path: Path) -> str:
    """Raises OSError above ``LIMIT``, UnicodeDecodeError for what is not UTF-8."""
    with path.open("rb") as file:
        return read_stream(file)


def read_stream(file: BinaryIO) -> str:
    """The same for an open file."""
    data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise OSError(errno.EFBIG, f"it has more than {LIMIT >> 20} MB; split it")
    return data.decode("utf-8-sig")
