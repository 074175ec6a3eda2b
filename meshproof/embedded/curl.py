"""One request from a workload, as its app would send it: through its sidecar."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import time
import urllib.parse
import uuid
from collections.abc import Callable, Sequence

from meshproof.embedded.sandbox import SocketFactory
from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import Answer
from meshproof.translate.world import PROXY_PORT


class ConnectionClosed(MeshproofError):
    """The connection ended without a response, after so many seconds."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


def request_id(headers: Sequence[tuple[str, str]]) -> str:
    """The caller's own x-request-id, else a new one."""
    own = [v for k, v in headers if k.lower() == "x-request-id"]
    return own[-1] if own else str(uuid.uuid4())


def same_request(logged: str, sent: str) -> bool:
    """Compare all but the version digit of the UUID (position 14): Envoy writes its sampling
    decision there."""
    return logged[:14] + logged[15:] == sent[:14] + sent[15:]


OpenConnection = Callable[[urllib.parse.SplitResult, float], tuple[http.client.HTTPConnection, str]]
"""Opens the connection for a URL, within seconds; returns it with the request's target. Raises
OSError."""


def _path(parts: urllib.parse.SplitResult) -> str:
    return urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))


def by_proxy(ip: str) -> OpenConnection:
    """Through a sidecar's outbound proxy: ``http://`` in absolute form, ``https://`` by CONNECT."""

    def open_connection(
        parts: urllib.parse.SplitResult, timeout: float
    ) -> tuple[http.client.HTTPConnection, str]:
        if parts.scheme == "https":
            secure = http.client.HTTPSConnection(
                ip, PROXY_PORT, timeout=timeout, context=_unverified()
            )
            secure.set_tunnel(parts.hostname or "", parts.port or 443)
            return secure, _path(parts)
        plain = http.client.HTTPConnection(ip, PROXY_PORT, timeout=timeout)
        return plain, f"http://{parts.netloc}{_path(parts)}"

    return open_connection


def from_pod(make_socket: SocketFactory, resolve: Callable[[str], str]) -> OpenConnection:
    """As a program in a pod would: its sidecar takes the connection."""

    def open_connection(
        parts: urllib.parse.SplitResult, timeout: float
    ) -> tuple[http.client.HTTPConnection, str]:
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        client = make_socket()
        client.settimeout(timeout)
        try:
            client.connect((resolve(host), port))
            if parts.scheme == "https":
                client = _unverified().wrap_socket(client, server_hostname=host)
        except BaseException:
            client.close()
            raise
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
        connection.default_port = 443 if parts.scheme == "https" else 80
        connection.sock = client
        return connection, _path(parts)

    return open_connection


def _unverified() -> ssl.SSLContext:
    """The outside hosts of a test have no certificate from a known authority."""
    return ssl._create_unverified_context()  # noqa: S323


def request(
    open_connection: OpenConnection,
    url: str,
    *,
    method: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    timeout: float,
) -> Answer:
    """The certificate of an ``https://`` server is not verified. ``timeout`` is in seconds.

    Raises MeshproofError when the connection is closed or times out without a response.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is not a URL such as http://cart/show")
    started = time.monotonic()
    try:
        connection, target = open_connection(parts, timeout)
        with contextlib.closing(connection):
            response = _exchange(connection, method, target, headers, body)
            content = response.read()
        return Answer(
            response.status, tuple(response.getheaders()), content, time.monotonic() - started
        )
    except TimeoutError:
        raise MeshproofError(f"{url}: no answer within {timeout:g} s") from None
    except (ConnectionError, http.client.HTTPException) as error:
        reason = f"{url}: {error or type(error).__name__}"
        raise ConnectionClosed(reason, time.monotonic() - started) from None
    except OSError as error:
        raise MeshproofError(f"{url}: {error or type(error).__name__}") from None


def _exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
) -> http.client.HTTPResponse:
    own_host = any(name.lower() == "host" for name, _ in headers)
    if own_host and "://" in target:  # an absolute target would override the caller's own
        target = _path(urllib.parse.urlsplit(target))
    connection.putrequest(method, target, skip_host=own_host, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body or method in ("POST", "PUT", "PATCH"):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
    return connection.getresponse()
