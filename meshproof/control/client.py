"""Asks a running mesh by its control socket. Imports the standard library and little else."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from meshproof.control.wire import Json, raised_by
from meshproof.errors import MeshproofError, UsageError
from meshproof.host import registry
from meshproof.host.registry import RunningMesh


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket, without a time limit: a change takes as long as it takes."""

    def __init__(self, path: str) -> None:
        super().__init__("mesh")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


class Client:
    """One method a verb; each raises what the mesh raised, and MeshproofError where it ended."""

    def __init__(self, entry: RunningMesh) -> None:
        self.entry = entry

    @staticmethod
    def find(name: str) -> Client:
        """Raises UsageError where no mesh of that name runs, or where it is not live yet."""
        entry = registry.find(name)
        if not entry.control_socket:
            raise UsageError(f"the mesh {name} (process {entry.pid}) is still starting, or ending")
        return Client(entry)

    def apply(self, sources: Sequence[tuple[str, str]], namespace: str, strict: bool) -> Json:
        """``sources`` are ``meshproof.mesh.Source``, or pairs of file name and YAML; returns
        ``Applied.as_dict()``."""
        return self._post("/apply", sources=_named(sources), namespace=namespace, strict=strict)

    def delete(self, sources: Sequence[tuple[str, str]], namespace: str) -> Json:
        return self._post("/delete", sources=_named(sources), namespace=namespace)

    def reset(self) -> Json:
        return self._post("/reset")

    def scale(self, workload: str, replicas: int) -> Json:
        return self._post("/scale", workload=workload, replicas=replicas)

    def fault(self, kind: str, workload: str, **how: Any) -> None:
        self._post("/fault", kind=kind, workload=workload, how=how)

    def curl(
        self, workload: str, url: str, method: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Json:
        """``Answer`` as a mapping; its ``body`` is bytes."""
        sent = base64.b64encode(body).decode()
        answer = self._post(
            "/curl", workload=workload, url=url, method=method, headers=list(headers), body=sent
        )
        return {**answer, "body": base64.b64decode(answer["body"])}

    def explain(
        self, workload: str, url: str, method: str, headers: Sequence[tuple[str, str]]
    ) -> Json:
        """What such a request would meet (``explain.Explanation.as_dict``); nothing is sent."""
        asked = {"workload": workload, "url": url, "method": method, "headers": list(headers)}
        return self._post("/explain", **asked)

    def dump(self, folder: str) -> None:
        self._post("/dump", folder=folder)

    def load(self, order: Json, folder: str) -> None:
        """Send a load from the cluster; ``order`` is ``traffic.distributed_load.DistributedLoad``
        as a mapping. Returns when its files are in ``folder``; it ends early with this process."""
        self._post("/load", order=order, folder=folder)

    def observe(self, folder: str) -> dict[str, str]:
        """Apply the add-ons of a folder; returns the URL of each."""
        found: dict[str, str] = self._post("/observe", folder=folder)
        return found

    def unobserve(self, folder: str) -> None:
        self._post("/unobserve", folder=folder)

    def down(self) -> None:
        """Ask for the end; the mesh's process ends after this returned."""
        self._post("/down")

    def hold(
        self, name: str, sources: Sequence[tuple[str, str]], namespace: str, grace: float
    ) -> Hold:
        """Have the mesh apply ``sources`` once this process is gone and ``grace`` seconds are over,
        unless the hold is released before, or taken again by another process.

        Raises UsageError while another process holds that name.
        """
        asked = {"name": name, "sources": _named(sources), "namespace": namespace, "grace": grace}
        return Hold(self.entry, asked)

    def hold_fault(self, workload: str) -> Hold:
        """Have the mesh clear a workload's faults at once when this process is gone."""
        return Hold(self.entry, {"name": f"fault {workload}", "clear": workload, "grace": 0})

    def rules(self) -> str:
        """Every applied resource of networking.istio.io as YAML."""
        return b"".join(self._stream("GET", "/rules")).decode()

    def tail(self, host: str, cursor: str) -> Json:
        found: Json = self._get("/tail", host=host, cursor=cursor)
        return found

    def url(self, target: str) -> str:
        found: str = self._get("/url", target=target)
        return found

    def command(self, workload: str, *, terminal: bool) -> list[str]:
        """What to put before a command so that it runs where the workload does; nothing for a
        mesh on this machine: there it is the ``environment`` that makes the difference."""
        asked = {"workload": workload, **({"terminal": "1"} if terminal else {})}
        found: list[str] = self._get("/command", **asked)
        return found

    def environment(self, workload: str) -> dict[str, str]:
        found: dict[str, str] = self._get("/environment", workload=workload)
        return found

    def status(self) -> Json:
        found: Json = self._get("/status")
        return found

    def spans(self, run_id: str) -> list[Json]:
        found: list[Json] = self._get("/spans", run_id=run_id)
        return found

    def access_log(self, run_id: str = "") -> list[Json]:
        found: list[Json] = self._get("/access-log", run_id=run_id)
        return found

    def metrics(self, workload: str = "") -> str:
        path = f"/metrics?{urlencode({'workload': workload})}"
        return b"".join(self._stream("GET", path)).decode()

    def events(self, since: int = 0) -> list[Json]:
        """``control.events.Event.as_dict()`` of every change with a higher number, oldest first."""
        found: list[Json] = self._get("/events", since=str(since))
        return found

    def topology(self) -> Json:
        """``mesh.Topology`` as a mapping; empty from a mesh that does not know it."""
        found: Json = self._get("/topology")
        return found

    def usage(self) -> list[Json]:
        """``mesh.Usage`` as mappings; none from a mesh whose processes are elsewhere."""
        found: list[Json] = self._get("/usage")
        return found

    def requests(self) -> str:
        """Prometheus text with the requests' counters and durations, at least."""
        return b"".join(self._stream("GET", "/requests")).decode()

    def logs(self, workload: str, follow: bool) -> Iterator[bytes]:
        """What was written, and with ``follow`` what will be, until the mesh ends."""
        query = {"workload": workload, **({"follow": "1"} if follow else {})}
        return self._stream("GET", f"/logs?{urlencode(query)}")

    def joined_logs(self, trace_id: str, run_id: str) -> list[Json]:
        """``LogLine`` as mappings: of the one of both ids that is not empty."""
        found: list[Json] = self._get("/joined-logs", trace_id=trace_id, run_id=run_id)
        return found

    def _post(self, path: str, **asked: Any) -> Json:
        answer: Json = json.loads(b"".join(self._stream("POST", path, json.dumps(asked))))
        return answer

    def _get(self, path: str, **query: str) -> Any:
        return json.loads(b"".join(self._stream("GET", f"{path}?{urlencode(query)}")))

    def _stream(self, method: str, path: str, body: str | None = None) -> Iterator[bytes]:
        connection = _Connection(self.entry.control_socket)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            if answer.status != 200:
                raise raised_by(answer.read())
            while part := answer.read1(1 << 16):
                yield part
        except (OSError, http.client.HTTPException) as error:
            raise MeshproofError(
                f"the mesh {self.entry.name} (process {self.entry.pid}) does not answer: {error}; "
                f"end it with `meshproof down --name {self.entry.name}`"
            ) from error
        finally:
            connection.close()


class Hold:
    """Lives as long as its connection: until ``release``, or the end of this process."""

    def __init__(self, entry: RunningMesh, asked: Json) -> None:
        self._connection = _Connection(entry.control_socket)
        try:
            self._connection.putrequest("POST", "/hold")
            self._connection.putheader("Transfer-Encoding", "chunked")
            self._connection.endheaders()
            self._send(json.dumps(asked))
            self._answer = self._connection.getresponse()
            if self._answer.status != 200:
                raise raised_by(self._answer.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise MeshproofError(
                f"the mesh {entry.name} (process {entry.pid}) does not answer: {error}"
            ) from error
        except MeshproofError:
            self._connection.close()
            raise

    def _send(self, line: str) -> None:
        data = line.encode() + b"\n"
        self._connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def release(self) -> None:
        """Nothing is to be undone; returns when the mesh knows."""
        # A mesh that has ended has nothing to undo.
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._send("release")
            self._connection.send(b"0\r\n\r\n")
            self._answer.read()
        self._connection.close()


def _named(sources: Sequence[tuple[str, str]]) -> list[Json]:
    return [{"file": file, "text": text} for file, text in sources]
