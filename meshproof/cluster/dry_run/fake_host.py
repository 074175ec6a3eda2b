"""A host on which every command succeeds: ``meshproof plan`` and the tests run against it.

It knows every command of the kind path and refuses any other, so that no step escapes the plan.
Tests make it fail with recorded output of the real tools.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from meshproof.cluster import versions
from meshproof.cluster.commands import Background, CommandError, Result
from meshproof.cluster.dry_run.fake_kubernetes import (
    OK,
    CommandOutput,
    FakeKubernetes,
    Json,
    deployment,
)
from meshproof.errors import MeshproofError
from meshproof.istio_names import INGRESS_GATEWAY, INGRESS_GATEWAY_LABELS, ROOT_NAMESPACE

_NONE: CommandOutput = (1, "[]\n", "no such object\n")
_INFO = {"ServerVersion": versions.DOCKER, "NCPU": 2, "MemTotal": 25276502016}


class FakeHost:
    """A Runner without effects. ``record`` is called with each command before it is answered."""

    at_once = 1

    def __init__(
        self,
        record: Callable[[Sequence[str], bytes], None] | None = None,
        kube: FakeKubernetes | None = None,
    ) -> None:
        self._record = record or (lambda _argv, _stdin: None)
        self.cluster = ""
        self.images: set[str] = set()
        self.containers: dict[str, Json] = {}
        self.networks: dict[str, set[str]] = {}
        self.kube = kube or FakeKubernetes()

    # -- the Runner's other parts ----------------------------------------------------------------

    def run(
        self,
        argv: Sequence[str],
        doing: str,
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,  # noqa: ARG002  # the protocol's
        check: bool = True,
        cwd: Path | None = None,  # noqa: ARG002  # the protocol's
    ) -> Result:
        self._record(argv, stdin)
        code, out, err = self.answer(list(argv), stdin.decode())
        result = Result(tuple(argv), code, out.encode(), err.encode(), 0.0)
        if check and code:
            raise CommandError(result, doing)
        return result

    def start(
        self,
        argv: Sequence[str],
        doing: str,
        *,
        output: Path | None = None,  # noqa: ARG002  # the protocol's
    ) -> Background:
        raise MeshproofError(f"{doing}: a fake host starts no process: {argv}")

    def connect(self, access: Sequence[str], folder: Path) -> None:
        """Holds no connection: what is asked is seen as commands."""

    def write(self, file: Path, text: str) -> None:
        """Writes nothing; a plan overrides this to print it."""

    @contextmanager
    def temporary_copy(self, files: Iterable[tuple[str, Path]]) -> Iterator[Path]:  # noqa: ARG002
        yield Path()

    def probe(self, url: str) -> str:  # noqa: ARG002  # the protocol's
        return ""

    def has_tool(self, name: str) -> bool:  # noqa: ARG002  # the protocol's
        return True

    def note(self, text: str) -> None:
        """Logs nothing; a plan overrides this to print it."""

    # -- answers ---------------------------------------------------------------------------------

    def answer(self, argv: list[str], stdin: str) -> CommandOutput:
        tool, *rest = argv
        tools = {
            "docker": self._docker,
            "kind": self._kind,
            "kubectl": self.kube.answer,
            "istioctl": self._istioctl,
        }
        return tools[tool](rest, stdin)

    def _unknown(self, argv: Sequence[str]) -> CommandOutput:
        raise AssertionError(f"no such command is known: {list(argv)}")

    def _kind(self, argv: list[str], _stdin: str) -> CommandOutput:  # noqa: PLR0911  # a table
        match argv:
            case ["--quiet", "version"]:
                return (0, f"{versions.KIND}\n", "")
            case ["get", "clusters"]:
                return (0, f"{self.cluster}\n" if self.cluster else "", "")
            case ["get", "nodes", "--name", name]:
                return (0, f"{name}-control-plane\n", "")
            case ["get", "kubeconfig", "--name", _]:
                return (0, "apiVersion: v1\nkind: Config\n", "")
            case ["create", "cluster", "--name", name, *_]:
                return self._create(name)
            case ["delete", "cluster", "--name", name, "--kubeconfig", _]:
                self.cluster = ""
                self.containers.pop(f"{name}-control-plane", None)
                self.kube.objects.clear()
                return (0, "", f'Deleting cluster "{name}" ...\n')
            case ["load", "docker-image", *images, "--name", _]:
                missing = [image for image in images if image not in self.images]
                if missing:
                    return (1, "", f'ERROR: image: "{missing[0]}" not present locally\n')
                return OK
        return self._unknown(["kind", *argv])

    def _create(self, name: str) -> CommandOutput:
        self.cluster = name
        self.networks.setdefault("kind", set()).add(f"{name}-control-plane")
        self.containers[f"{name}-control-plane"] = _container("", "", {"30080/tcp": "30080"})
        node = {"kind": "Node", "metadata": {"name": name, "labels": {"meshproof": "owned"}}}
        self.kube.objects["Node", "", name] = node
        return OK

    def _docker(self, argv: list[str], _stdin: str) -> CommandOutput:  # noqa: PLR0911, PLR0912  # a table
        match argv:
            case ["info", *_]:
                return (0, json.dumps(_INFO), "")
            case ["image", "inspect", image]:
                return _inspection({"Id": f"sha256:{image}"} if image in self.images else None)
            case ["build", *flags]:
                self.images.add(flags[flags.index("--tag") + 1])
                return (0, "sha256:0\n", "")
            case ["inspect", name]:
                return _inspection(self.containers.get(name))
            case ["run" | "create", *flags]:
                return self._run(flags)
            case ["exec", "-i", _, "sh", "-c", _] | ["exec", _, "sh", "-c", *_] | ["cp", _, _]:
                return OK
            case ["stop", "-t", _, _] | ["start" | "kill", _]:
                return OK
            case ["logs", name] if "-fault-" in name:
                return (0, "40000\n", "")
            case ["rm", "-f", name]:
                self.containers.pop(name, None)
                for members in self.networks.values():
                    members.discard(name)
                return OK
            case ["ps", "-a", "--filter", label, *_]:
                value = label.removeprefix("label=meshproof=")
                names = [n for n, c in self.containers.items() if _label(c) == value]
                return (0, "".join(json.dumps({"Names": n}) + "\n" for n in names), "")
            case ["push" | "logs" | "pause" | "unpause", _]:
                return OK
            case ["exec", _, "crictl", "inspecti" | "pull", _]:
                return OK
            case ["network", *rest]:
                return self._network(rest)
        return self._unknown(["docker", *argv])

    def _run(self, flags: list[str]) -> CommandOutput:
        name, label = flags[flags.index("--name") + 1], flags[flags.index("--label") + 1]
        ports = {f"{w.rpartition(':')[2]}/tcp": "49997" for w in flags if w.startswith("127.")}
        self.containers[name] = _container(flags[-1], label.partition("=")[2], ports)
        if "--entrypoint" not in flags:  # a proxy that injects faults is on its node's network
            self.networks.setdefault("kind", set()).add(name)
        return (0, "0\n", "")

    def _network(self, argv: list[str]) -> CommandOutput:  # noqa: PLR0911  # a table
        match argv:
            case ["inspect", name]:
                members = {m: {"Name": m} for m in sorted(self.networks.get(name, ()))}
                return _inspection({"Containers": members} if name in self.networks else None)
            case ["create", "--subnet", _, "--label", _, name]:
                self.networks[name] = set()
                return OK
            case ["connect", *_, name, container]:
                self.networks[name].add(container)
                return OK
            case ["disconnect", *_, name, container]:
                self.networks[name].discard(container)
                return OK
            case ["ls", *_]:
                names = sorted(self.networks.keys() - {"kind"})
                return (0, "".join(json.dumps({"Name": n}) + "\n" for n in names), "")
            case ["rm", name]:
                del self.networks[name]
                return OK
        return self._unknown(["docker", "network", *argv])

    def _istioctl(self, argv: list[str], _stdin: str) -> CommandOutput:
        match argv:
            case ["version", "--remote=false", "-o", "json"]:
                return (0, json.dumps({"clientVersion": {"version": versions.ISTIO}}), "")
            case [_, _, "install", "-y", "-f", *_]:
                gateway = deployment(INGRESS_GATEWAY, ROOT_NAMESPACE, INGRESS_GATEWAY_LABELS)
                self.kube.objects["Deployment", ROOT_NAMESPACE, INGRESS_GATEWAY] = gateway
                return OK
        return self._unknown(["istioctl", *argv])


def _inspection(item: Json | None) -> CommandOutput:
    """What ``docker inspect`` prints of an object, or of none."""
    return _NONE if item is None else (0, json.dumps([item]), "")


def _container(image: str, label: str, ports: dict[str, str]) -> Json:
    bindings = {port: [{"HostIp": "127.0.0.1", "HostPort": host}] for port, host in ports.items()}
    return {
        "Config": {"Image": image, "Labels": {"meshproof": label} if label else {}},
        "State": {"Running": True, "Paused": False},
        "NetworkSettings": {"Ports": bindings, "Networks": {"kind": {"IPAddress": "172.18.0.9"}}},
    }


def _label(container: Json) -> str:
    return str(container["Config"]["Labels"].get("meshproof", ""))
