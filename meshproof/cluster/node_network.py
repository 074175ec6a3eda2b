"""Network faults inside the nodes of a kind cluster.

Connections of pods are redirected to a ``TcpFaultProxy`` that runs in the node's own network
namespace: a container beside it, of an image that is there anyway. The node's iptables do it
(kindnet routes each pod's packets through the node, from a ``veth`` interface), so it takes no
privilege in a pod, nothing of the kernel but NAT, and works for mutual TLS. ``tc netem`` would need
a module that many kernels lack, and Istio's own fault rules know neither connections nor replicas.

iptables decides once for each connection, so connections that exist keep their way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from meshproof.cluster import docker
from meshproof.cluster.assets import LABEL
from meshproof.cluster.commands import Runner
from meshproof.errors import MeshproofError
from meshproof.host import tcp_fault_proxy
from meshproof.host.tcp_fault_proxy import Impairment
from meshproof.wait import until

_CHAIN = "MESHPROOF-FAULTS"
_RESTORE = (
    "iptables-restore --noflush -w && "
    f"{{ iptables -w -t nat -C PREROUTING -i veth+ -p tcp -j {_CHAIN} 2>/dev/null || "
    f"iptables -w -t nat -I PREROUTING -i veth+ -p tcp -j {_CHAIN}; }}"
)
"""Replaces our chain as a whole, and jumps to it from the interfaces of the node's pods alone: what
a proxy sends on, or comes from another node, is not redirected again."""
_SIGNAL = (
    'tree() { echo "$1"; for c in $(cat /proc/"$1"/task/*/children); do tree "$c"; done; }; '
    'pid=$(crictl inspect -o go-template --template "{{.info.pid}}" "$1") && '
    'kill -s "$2" $(tree "$pid" | tail -n +"$3")'
)
"""Signals the processes of a container, parents first, from the ``$3``-th on."""
_PROGRAM = "/fault_proxy.py"
"""Where ``tcp_fault_proxy`` lies in its container."""
_GRACE = 3
"""Seconds that a proxy has to end: more than ``tcp_fault_proxy.GRACE``."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """TCP connections from an address (empty: from every pod) to an address; each is an IP."""

    source: str
    to: str
    fault: int


class NodeNetwork:
    """The nodes of one kind cluster. One caller at a time."""

    def __init__(self, runner: Runner, cluster: str, nodes: Callable[[], list[str]]) -> None:
        self._runner = runner
        self._cluster = cluster
        self._nodes = nodes
        self._ports: dict[int, dict[str, int]] = {}
        """Fault -> node -> where its proxy listens there."""

    def start_proxies(self, fault: int, image: str, impairment: Impairment) -> None:
        """One a node, of an image with python3. They end with ``stop_proxies``, or ``clear``."""
        self._ports[fault] = {}
        for node in self._nodes():
            name = self._container(fault, node)
            self._ports[fault][node] = 0
            self._docker(
                "create", "--name", name, "--label", f"{LABEL}={self._cluster}",
                "--network", f"container:{node}", "--entrypoint", "python3",
                image, _PROGRAM, json.dumps(asdict(impairment)),
            )  # fmt: skip
            self._docker("cp", str(Path(tcp_fault_proxy.__file__)), f"{name}:{_PROGRAM}")
            self._docker("start", name)
            self._ports[fault][node] = self._wait_port(name)

    def stop_proxies(self, fault: int) -> None:
        """Connections that they serve have some seconds to finish."""
        for node in self._ports.pop(fault, {}):
            name = self._container(fault, node)
            argv = ("docker", "stop", "-t", str(_GRACE), name)
            self._runner.run(argv, f"ending {name}", check=False)  # it may not have started
            self._docker("rm", "-f", name)

    def redirect(self, redirects: Sequence[Redirect]) -> None:
        """From now on for new connections; of several that match, the first counts."""
        for node in self._nodes():
            rules = [_rule(r, self._ports[r.fault][node]) for r in redirects]
            self._restore(node, rules)

    def clear(self) -> None:
        """Removes what a run that was killed has left."""
        left = [
            name
            for name in docker.containers(self._runner, f"{LABEL}={self._cluster}")
            if name.startswith(f"{self._cluster}-fault-")
        ]
        if left:  # without a proxy there are no rules
            for node in self._nodes():
                self._restore(node, [])
        for name in left:
            self._docker("rm", "-f", name)
        self._ports.clear()

    def signal(self, node: str, container: str, signal: str, *, but_first: bool) -> None:
        """Sends a signal (``KILL``) to all processes of a container; ``but_first`` to all but the
        first one: to the Envoy of a sidecar, not to Istio's agent that started it."""
        first = "2" if but_first else "1"
        argv = ("docker", "exec", node, "sh", "-c", _SIGNAL, "sh", container, signal, first)
        self._runner.run(argv, f"sending {signal} in container {container[:12]} of {node}")

    # -- steps -----------------------------------------------------------------------------------

    def _container(self, fault: int, node: str) -> str:
        return f"{self._cluster}-fault-{fault}-{node}"

    def _docker(self, *args: str) -> None:
        self._runner.run(("docker", *args), f"{args[0]} of a proxy that injects faults")

    def _wait_port(self, name: str) -> int:
        port = ""

        def reason() -> str:
            nonlocal port
            result = self._runner.run(("docker", "logs", name), f"asking {name} for its port")
            if result.errors:
                raise MeshproofError(f"container {name} has failed:\n{result.errors.strip()}")
            port = result.text.strip()
            return "" if port else f"{name} has printed no port yet"

        until(reason, f"waiting for {name}", within=30, every=0.1)
        return int(port)

    def _restore(self, node: str, rules: Iterable[str]) -> None:
        text = "\n".join(["*nat", f":{_CHAIN} - [0:0]", *rules, "COMMIT", ""])
        argv = ("docker", "exec", "-i", node, "sh", "-c", _RESTORE)
        self._runner.run(argv, f"redirecting connections on {node}", stdin=text.encode())


def _rule(redirect: Redirect, port: int) -> str:
    source = f"-s {redirect.source} " if redirect.source else ""
    return f"-A {_CHAIN} {source}-d {redirect.to} -p tcp -j REDIRECT --to-ports {port}"


def addresses(description: Mapping[str, object]) -> list[str]:
    """A container's addresses on its networks, of what ``docker inspect`` prints."""
    networks = description["NetworkSettings"]["Networks"]  # type: ignore[index]
    return [network["IPAddress"] for network in networks.values() if network.get("IPAddress")]
