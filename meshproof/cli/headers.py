"""HTTP headers as curl's ``-H`` takes them."""

from __future__ import annotations

from meshproof.errors import UsageError


def parse_header(verb: str, text: str) -> tuple[str, str]:
    """``Name: value`` as a pair. Raises UsageError for anything else."""
    key, colon, value = text.partition(":")
    if not colon or not key.strip():
        raise UsageError(f"{verb}: -H {text!r}: wanted 'Name: value'")
    return key.strip(), value.strip()
