"""Sends the same request many times: from a workload through its sidecar, or to the gateway.

For assertions on any app: answers are returned as they are, and not interpreted.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from meshproof.errors import MeshproofError, UsageError
from meshproof.istio_names import INGRESS_GATEWAY, ROOT_NAMESPACE
from meshproof.mesh import Answer, GatewayStatus, Mesh

GATEWAY = "gateway"
_DEFAULT_PORTS = {"http": 80, "https": 443}
SENDERS = 4
"""Threads that send concurrently; a single-threaded app can still serve them one by one."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is sent as often as an assertion needs it.

    ``from_`` is a workload (``NAME`` or ``NAMESPACE/NAME``), or ``gateway`` or another gateway's
    name for a caller outside the mesh. ``url`` is absolute (``http://cart/show``); at ``gateway`` a
    path is enough, and the host of an absolute URL is sent as the ``Host`` header.
    """

    from_: str
    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float = 30.0
    """Seconds."""

    @property
    def host(self) -> str:
        """The host of the URL, without a port; empty for a path."""
        return urllib.parse.urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        """The URL without scheme and host."""
        parts = urllib.parse.urlsplit(self.url)
        return urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))

    def __str__(self) -> str:
        return f"{self.method} {self.url} from {self.from_}"


def send(mesh: Mesh, call: Call, n: int, run_id: str) -> list[Answer]:
    """``n`` answers, in the order in which the requests began; each request carries the run id.

    A request without an answer (closed, timed out) is an Answer of status 0 with the reason as
    its body. Raises UsageError for an unknown workload and for an invalid URL.
    """
    door = _door(mesh, call)
    if door is None and not call.host:
        raise UsageError(
            f"{call.url!r} is not a URL; wanted one such as http://cart/show"
            f" (a path alone is for from_={GATEWAY!r})"
        )
    if door is None:
        return _send_all(lambda _: _from_workload(mesh, call, run_id), n)
    with _AtGateway(door, call, run_id) as exchange:
        return _send_all(exchange, n)


def _door(mesh: Mesh, call: Call) -> str | None:
    """``http://ip:port`` at which a gateway takes the call; None for a workload's.

    Where a mesh does not say which ports its gateways have (Kubernetes), and for a port that it
    does not name, it is the ingress gateway's first.
    """
    gateways = {name: g for g in mesh.status().gateways for name in gateway_names(g)}
    gateway = gateways.get(call.from_)
    if call.from_ != GATEWAY and gateway is None:
        return None
    parts = urllib.parse.urlsplit(call.url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 80)
    ports = gateway.ports if gateway else {}
    if call.host and port in ports:
        return f"{parts.scheme}://{ports[port]}"
    if call.from_ == GATEWAY:
        return mesh.url(GATEWAY)
    there = ", ".join(map(str, sorted(ports))) or "none"
    raise UsageError(f"the gateway {call.from_} has no port {port}; there is {there}")


def gateway_names(gateway: GatewayStatus) -> tuple[str, ...]:
    """What a gateway is called as a sender; Istio's own ingress gateway is ``gateway`` as well."""
    is_ingress = (gateway.namespace, gateway.workload) == (ROOT_NAMESPACE, INGRESS_GATEWAY)
    names = (f"{gateway.namespace}/{gateway.workload}", gateway.workload)
    return (GATEWAY, *names) if is_ingress else names


def _send_all(one: Callable[[int], Answer], n: int) -> list[Answer]:
    with ThreadPoolExecutor(min(SENDERS, max(1, n))) as pool:
        try:
            return list(pool.map(one, range(n)))
        except BaseException:  # Ctrl-C too: requests that have not begun are not sent
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _from_workload(mesh: Mesh, call: Call, run_id: str) -> Answer:
    headers = [*call.headers.items(), ("x-run-id", run_id)]
    started = time.monotonic()
    try:
        return mesh.curl(
            call.from_, call.url, method=call.method, headers=headers, body=call.body,
            timeout=call.timeout,
        )  # fmt: skip
    except UsageError:
        raise
    except MeshproofError as error:
        return _failed(error, started)


class _AtGateway:
    """Requests to the gateway, each thread on a kept-alive connection of its own."""

    def __init__(self, address: str, call: Call, run_id: str) -> None:
        parts = urllib.parse.urlsplit(address)
        self._tls = _trust_anybody() if parts.scheme == "https" else None
        self._host, self._port, self._call = parts.hostname or "", parts.port or 80, call
        self._headers = {"x-run-id": run_id, **call.headers}
        if call.host:
            self._headers.setdefault("Host", urllib.parse.urlsplit(call.url).netloc)
        self._local = threading.local()
        self._connections = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connections.close()

    def __call__(self, _number: int) -> Answer:
        started = time.monotonic()
        try:
            return self._exchange(self._connection(), started)
        except (OSError, http.client.HTTPException) as error:
            self._connection().close()  # the next request reopens it
            return _failed(error, started)

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._new_connection()
            self._connections.callback(connection.close)
        return connection

    def _new_connection(self) -> http.client.HTTPConnection:
        timeout = self._call.timeout
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return _HTTPSConnection(self._host, self._port, self._tls, self._call.host, timeout)

    def _exchange(self, connection: http.client.HTTPConnection, started: float) -> Answer:
        call = self._call
        connection.request(call.method, call.path, call.body or None, self._headers)
        response = connection.getresponse()
        body = response.read()
        headers = tuple(response.getheaders())
        return Answer(response.status, headers, body, time.monotonic() - started)


class _HTTPSConnection(http.client.HTTPSConnection):
    """To an address, with the SNI of the URL's host."""

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext, name: str, timeout: float
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=tls)
        self._tls, self._name = tls, name

    def connect(self) -> None:
        connection = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(connection, server_hostname=self._name)


def _trust_anybody() -> ssl.SSLContext:
    """Rules are judged, not the certificates of a test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _failed(error: BaseException, started: float) -> Answer:
    text = str(error) or type(error).__name__
    return Answer(0, (), text.encode(), time.monotonic() - started)
