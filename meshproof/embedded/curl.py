"""One request from a workload, as its app would send it: through its sidecar's outbound proxy."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.parse
import uuid
from collections.abc import Sequence

from meshproof.errors import MeshproofError, UsageError
from meshproof.mesh import Answer
from meshproof.translate.world import PROXY_PORT


def request_id(headers: Sequence[tuple[str, str]]) -> str:
    """The caller's own x-request-id, else a new one."""
    own = [v for k, v in headers if k.lower() == "x-request-id"]
    return own[-1] if own else str(uuid.uuid4())


def same_request(logged: str, sent: str) -> bool:
    """Compare all but the version digit of the UUID (position 14): Envoy writes its sampling
    decision there."""
    return logged[:14] + logged[15:] == sent[:14] + sent[15:]


def request(
    ip: str,
    url: str,
    *,
    method: str,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    timeout: float,
) -> Answer:
    """``http://`` in absolute form, ``https://`` by CONNECT (the certificate is not verified: the
    outside hosts of a test have none from a known authority). ``timeout`` is in seconds.

    Raises MeshproofError when the connection is closed or times out without a response.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is not a URL such as http://cart/show")
    started = time.monotonic()
    names = {k.lower() for k, _ in headers}
    path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(ip, PROXY_PORT, timeout=timeout, context=context)
        connection.set_tunnel(parts.hostname, parts.port or 443)
        target = path
    else:
        connection = http.client.HTTPConnection(ip, PROXY_PORT, timeout=timeout)
        # An absolute target would override the caller's own Host header.
        target = path if "host" in names else f"http://{parts.netloc}{path}"
    try:
        connection.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        content = response.read()
        return Answer(
            response.status, tuple(response.getheaders()), content, time.monotonic() - started
        )
    except TimeoutError:
        raise MeshproofError(f"{url}: no answer within {timeout:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise MeshproofError(f"{url}: {error or type(error).__name__}") from None
    finally:
        connection.close()
