"""One request from a workload's own container, sent by the Python in it straight to the URL, so
that the sidecar intercepts it like the app's own requests."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.mesh import Answer

# Reads requests from standard input, a JSON object a line, and prints a JSON object for each, in
# the order in which they end; ``id`` is the request's. http.client uses no proxy.
SCRIPT = """
import base64, http.client, json, ssl, sys, threading, time, urllib.parse
def send(o):
    u = urllib.parse.urlsplit(o["url"])
    s = time.monotonic()
    r = {"id": o.get("id"), "error": "", "closed": False, "ip": ""}
    if u.scheme == "https":
        c = http.client.HTTPSConnection(u.hostname, u.port or 443, timeout=o["timeout"],
                                        context=ssl._create_unverified_context())
    else:
        c = http.client.HTTPConnection(u.hostname, u.port or 80, timeout=o["timeout"])
    try:
        c.connect()
        r["ip"] = "%s:%s" % c.sock.getpeername()[:2]
        own = {k.lower() for k, _ in o["headers"]}
        path = urllib.parse.urlunsplit(("", "", u.path or "/", u.query, ""))
        c.putrequest(o["method"], path, skip_host="host" in own, skip_accept_encoding=True)
        for k, v in o["headers"]:
            c.putheader(k, v)
        body = base64.b64decode(o["body"])
        if body or o["method"] in ("POST", "PUT", "PATCH"):
            c.putheader("Content-Length", str(len(body)))
        c.endheaders(body or None)
        a = c.getresponse()
        r.update(status=a.status, headers=a.getheaders(),
                 body=base64.b64encode(a.read()).decode())
    except TimeoutError:
        r["error"] = "no answer within %g s" % o["timeout"]
    except (ConnectionError, http.client.HTTPException) as e:
        r.update(error=str(e) or type(e).__name__, closed=bool(r["ip"]))
    except OSError as e:
        r["error"] = str(e) or type(e).__name__
    c.close()
    r["seconds"] = time.monotonic() - s
    return r
lock = threading.Lock()
def serve(line):
    text = json.dumps(send(json.loads(line)))
    with lock:
        print(text, flush=True)
for line in sys.stdin:
    threading.Thread(target=serve, args=(line,)).start()
"""


@dataclass(frozen=True, slots=True)
class PodResponse:
    """``closed``: connected to ``peer`` (``ip:port``), then closed without a response."""

    answer: Answer | None
    error: str
    closed: bool
    peer: str
    seconds: float


def build_request(
    url: str, method: str, headers: Sequence[tuple[str, str]], body: bytes, timeout: float
) -> dict[str, Any]:
    """What ``SCRIPT`` reads as a line."""
    return {
        "url": url,
        "method": method,
        "headers": [list(h) for h in headers],
        "body": base64.b64encode(body).decode(),
        "timeout": timeout,
    }


def parse_response(stdout: bytes) -> PodResponse:
    """Reads the output of ``SCRIPT``."""
    try:
        output = json.loads(stdout)
    except ValueError:
        raise MeshproofError(f"the request's script printed no JSON: {stdout[:200]!r}") from None
    seconds = float(output["seconds"])
    answer = None
    if "status" in output:
        headers = tuple((str(k), str(v)) for k, v in output["headers"])
        body = base64.b64decode(output["body"])
        answer = Answer(int(output["status"]), headers, body, seconds)
    return PodResponse(answer, output["error"], bool(output["closed"]), output["ip"], seconds)
