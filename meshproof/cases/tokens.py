"""Tokens of requests: as they are written, or signed with a key of a file."""

from __future__ import annotations

import time
from pathlib import Path

from meshproof.cases.model import Token
from meshproof.errors import UsageError


def authorization(token: str | Token | None) -> list[tuple[str, str]]:
    """The header that carries a token. Raises UsageError for a key that cannot sign."""
    if token is None:
        return []
    text = token if isinstance(token, str) else _sign(token)
    return [("authorization", f"Bearer {text}")]


def _sign(token: Token) -> str:
    import jwt  # noqa: PLC0415  (for requests with tokens only)

    issued = int(time.time())
    claims = {"iat": min(issued, issued + token.expires) - 1, "exp": issued + token.expires}
    try:
        key = Path(token.key).read_text(encoding="utf-8")
        return jwt.encode(
            {**claims, **token.claims}, key, token.algorithm, headers=token.header or None
        )
    except OSError as error:
        raise UsageError(f"{token.key} cannot be read: {error.strerror}") from None
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError) as error:
        raise UsageError(f"{token.key} does not sign by {token.algorithm}: {error}") from None
