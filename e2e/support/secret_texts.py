"""The texts by which a secret would be recognized in a file, and the files that hold one."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from pathlib import Path


def secret_texts(word: str, token: str, key: str) -> Mapping[str, bytes]:
    """Of a Secret's value, a payer's token, and a private key as PEM."""
    body = "".join(line for line in key.splitlines() if "-----" not in line)
    return {
        "a Secret's value": word.encode(),
        "the same in base 64": base64.b64encode(word.encode()),
        "a token": token.encode(),
        "a token's signature": token.rpartition(".")[2].encode(),
        "a private key": b"PRIVATE KEY",
        "the gateway's key": body[:60].encode(),
        "the gateway's key in base 64": base64.b64encode(key.encode())[:60],
    }


def holders(folder: Path, text: bytes) -> list[str]:
    """The files below a folder that contain a text."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path.name for path in files if text in _content(path)]


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix == ".gz" else content
