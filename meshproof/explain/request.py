"""Requests as an Envoy sees them: pseudo headers, headers by lower-case name, a path."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from meshproof.errors import UsageError

_UNRESERVED = re.compile(r"%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` includes the query; it is empty for CONNECT. Header names are in lower case."""

    method: str
    scheme: str
    authority: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    port: int = 0
    """The port of a direct connection: the URL's, whatever the Host header says."""
    host: str = ""
    """The host of a direct connection, likewise."""
    absolute_form: bool = False
    """Its scheme stands in the request line, as clients write it to a proxy."""

    @property
    def is_connect(self) -> bool:
        return self.method == "CONNECT"

    @property
    def plain_path(self) -> str:
        """Without query and fragment, as path matchers see it."""
        return re.split(r"[?#]", self.path, maxsplit=1)[0]

    def get(self, name: str) -> str | None:
        """A header or pseudo header; Envoy joins several of one name with commas."""
        values = self.values(name)
        return ",".join(values) if values else None

    def values(self, name: str) -> list[str]:
        """The values of a header, in order, or the one of a pseudo header."""
        name = name.lower()
        pseudo = {":method": self.method, ":authority": self.authority, ":scheme": self.scheme}
        pseudo |= {":path": self.path, "host": self.authority}
        if name in pseudo:
            return [pseudo[name]]
        return [value for key, value in self.headers if key == name]

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter, not decoded."""
        return next((value for key, value in self.parameters() if key == name), None)

    def parameters(self) -> Iterator[tuple[str, str]]:
        _, mark, query = self.path.partition("?")
        for part in query.split("#")[0].split("&") if mark else ():
            key, _, value = part.partition("=")
            yield key, value

    def cookie(self, name: str) -> str | None:
        for part in (self.get("cookie") or "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None

    def without(self, name: str) -> Request:
        headers = tuple(h for h in self.headers if h[0] != name.lower())
        return replace(self, headers=headers)

    def with_header(self, name: str, value: str) -> Request:
        """With one more header, after existing ones of that name."""
        return replace(self, headers=(*self.headers, (name.lower(), value)))

    @property
    def target(self) -> str:
        """The URL, or the authority of a tunnel."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def __str__(self) -> str:
        return f"{self.method} {self.authority if self.is_connect else self.target}"


def build_request(
    method: str, url: str, headers: Iterable[tuple[str, str]] = (), *, tunnel: bool = True
) -> Request:
    """The request as a client sends it through a proxy: ``https://`` is a CONNECT (``tunnel``),
    since only the server can read what is inside. A Host header replaces the URL's authority.

    Raises UsageError for anything but an http or https URL, and for invalid methods and header
    names.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is not a URL such as http://cart/show")
    try:
        port = parts.port
    except ValueError:
        raise UsageError(f"{url!r}: its port is not a number up to 65535") from None
    pairs = tuple((name.lower(), value) for name, value in headers)
    for token in (method, *(name for name, _ in pairs)):
        if not _TOKEN.fullmatch(token):
            raise UsageError(f"{token!r} is not the name of a method or a header")
    authority = parts.netloc.rpartition("@")[2]
    hosts = [value for name, value in pairs if name == "host"]
    pairs = tuple(pair for pair in pairs if pair[0] != "host")
    if tunnel and parts.scheme == "https":
        return Request("CONNECT", "https", f"{parts.hostname}:{port or 443}", "", pairs)
    path = url.partition("://")[2][len(parts.netloc) :].partition("#")[0]
    path = path if path.startswith("/") else f"/{path}"
    host, default_port = hosts[-1] if hosts else authority, 443 if parts.scheme == "https" else 80
    return Request(
        method,
        parts.scheme,
        host,
        path,
        pairs,
        port or default_port,
        parts.hostname.lower(),
        tunnel,
    )


def normalize_path(path: str) -> str:
    """As Envoy does it: no ``.`` and ``..``, no escapes of letters, digits and ``-._~``."""
    path_only, mark, query = path.partition("?")
    path_only = _UNRESERVED.sub(lambda m: chr(int(m[1], 16)), path_only).replace("\\", "/")
    if re.search(r"(^|/)\.\.?(/|$)", path_only):
        parts = _remove_dot_segments(path_only)
        path_only = "/" + "/".join(parts)
    return path_only + mark + query


def unescape_slashes(path: str) -> str:
    """``%2F`` and ``%5C`` as the characters that they stand for, as Envoy does it."""
    path_only, mark, query = path.partition("?")
    path_only = re.sub("%2f", "/", path_only, flags=re.IGNORECASE)
    return re.sub("%5c", r"\\", path_only, flags=re.IGNORECASE) + mark + query


def merge_slashes(path: str) -> str:
    """One ``/`` for several."""
    path_only, mark, query = path.partition("?")
    return re.sub("/{2,}", "/", path_only) + mark + query


def _remove_dot_segments(path: str) -> list[str]:
    parts: list[str] = []
    *segments, last = path.split("/")[1:] or [""]
    for part in segments:
        if part == "..":
            del parts[-1:]
        elif part != ".":
            parts.append(part)
    if last == "..":
        del parts[-1:]
    return [*parts, "" if last in (".", "..") else last]
