"""The kind cluster: created with our configuration, reused if it is ours and answers, never touched
if it is not ours."""

from __future__ import annotations

import json

import yaml

from meshproof.cluster.assets import LABEL, OWNED, asset
from meshproof.cluster.commands import Runner
from meshproof.cluster.docker import inspect
from meshproof.cluster.kubectl import labels_of, with_kubeconfig
from meshproof.cluster.settings import Settings
from meshproof.cluster.state_dir import StateDir, owner_note
from meshproof.errors import MeshproofError

_READY = "120s"


def config(settings: Settings) -> str:
    """kind's configuration, with as many workers as ``KIND_NODES`` asks for."""
    text = asset("kind.yaml")
    if settings.kind_nodes == 1:
        return text
    document = yaml.safe_load(text)
    worker = {"role": "worker", "labels": {LABEL: OWNED}}
    document["nodes"] += [worker] * (settings.kind_nodes - 1)
    return yaml.safe_dump(document, sort_keys=False)


class KindCluster:
    """One cluster, by its name."""

    def __init__(self, runner: Runner, settings: Settings, folder: StateDir) -> None:
        self._runner = runner
        self._settings = settings
        self._folder = folder
        self.name = settings.kind_cluster
        self.kubectl = with_kubeconfig(runner, folder.kubeconfig)
        self._gateway_port = 0

    def exists(self) -> bool:
        argv = ("kind", "get", "clusters")
        return self.name in self._runner.run(argv, "asking kind for its clusters").text.split()

    def nodes(self) -> list[str]:
        """The names of the nodes, which are also those of their containers."""
        argv = ("kind", "get", "nodes", "--name", self.name)
        return sorted(self._runner.run(argv, "asking kind for the nodes").text.split())

    def ensure(self) -> bool:
        """Whether the cluster is this process's to delete: created now, or left by a process that
        is gone. False where a living process of ours uses it.

        Raises MeshproofError where a cluster of that name exists and is not ours.
        """
        if not self.exists():
            self._create()
            return True
        guest = self._folder.used_by_another()
        self._export()
        ownership = self._ownership()
        if ownership == "foreign":
            raise MeshproofError(self._not_ours("exists and was not made by meshproof"))
        if ownership == "silent":
            if guest or not self._folder.created_here():
                raise MeshproofError(self._not_ours("exists and its API server does not answer"))
            self._runner.note(f"cluster {self.name} is ours but does not answer: recreating it")
            self.delete()
            self._create()
            return True
        if not guest:
            self._runner.write(self._folder.note, owner_note())
        return not guest

    def is_ours_to_delete(self) -> bool:
        """False for a cluster that is not ours, and for one that a living process of ours uses.
        True where there is none."""
        if self._folder.used_by_another():
            return False
        if not self.exists():
            return True
        self._export()
        ownership = self._ownership()
        return ownership == "ours" or (ownership == "silent" and self._folder.created_here())

    def delete(self) -> None:
        """Safe to repeat: kind succeeds where there is no such cluster."""
        argv = [
            "kind", "delete", "cluster", "--name", self.name,
            "--kubeconfig", str(self._folder.kubeconfig),
        ]  # fmt: skip
        self._runner.run(argv, f"deleting cluster {self.name}", timeout=120)
        self._folder.remove()

    def gateway_port(self) -> int:
        """The port on this machine's loopback that leads to the gateway's node port. Asked for
        once: kind chose it when it created the node (``PortOrGetFreePort`` of its docker
        provider)."""
        if not self._gateway_port:
            self._gateway_port = self._published_gateway_port()
        return self._gateway_port

    def _published_gateway_port(self) -> int:
        for description in inspect(self._runner, f"{self.name}-control-plane"):
            for binding in description["NetworkSettings"]["Ports"].get("30080/tcp") or ():
                return int(binding["HostPort"])
        raise MeshproofError(
            f"cluster {self.name} maps no port to its gateway (30080); it was created with another "
            f"configuration: `kind delete cluster --name {self.name}`, and run again"
        )

    def _create(self) -> None:
        self._gateway_port = 0
        self._runner.write(self._folder.note, owner_note())
        self._runner.write(self._folder.config, config(self._settings))
        image = self._settings.kind_node_image
        argv = [
            "kind", "create", "cluster", "--name", self.name,
            *(["--image", image] if image else []),
            "--config", str(self._folder.config), "--wait", _READY,
            "--kubeconfig", str(self._folder.kubeconfig),
        ]  # fmt: skip
        self._runner.note(f"creating cluster {self.name}; kind waits up to {_READY} for its node")
        self._runner.run(argv, f"creating cluster {self.name}", timeout=900)

    def _export(self) -> None:
        """Writes the current kubeconfig: ports change when Docker restarts."""
        argv = ("kind", "get", "kubeconfig", "--name", self.name)
        result = self._runner.run(argv, f"asking kind for the kubeconfig of {self.name}")
        self._runner.write(self._folder.kubeconfig, result.text)

    def _ownership(self) -> str:
        """``ours``, ``foreign``, or ``silent`` where no API server answers."""
        result = self.kubectl.run(
            "get", "nodes", "-o", "json", "--request-timeout=10s",
            doing=f"asking for the owner of cluster {self.name}", check=False,
        )  # fmt: skip
        if result.code:
            return "silent"
        nodes = json.loads(result.text)["items"]
        return "ours" if any(labels_of(n).get(LABEL) == OWNED for n in nodes) else "foreign"

    def _not_ours(self, why: str) -> str:
        return (
            f"kind cluster {self.name} {why}; nothing was changed\n"
            f"  another name: KIND_CLUSTER=NAME; use it as it is: MESH=context "
            f"CONTEXT=kind-{self.name}; remove it: `kind delete cluster --name {self.name}`"
        )
