"""The modules of WasmPlugins: files of this machine, read at the edge."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from meshproof.embedded.pod.workload import Workload
from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.model.wasm_plugin import WasmPlugin
from meshproof.translate.workload_selection import is_selected
from meshproof.translate.world import WasmModule

_MAGIC = b"\0asm"


def find_unusable(resources: Iterable[Resource]) -> Iterator[Problem]:
    """Modules that are no file here, no WebAssembly, or not the ones that ``sha256`` names. Istio
    compares the sum of what it downloads alone; here a file's is compared, too."""
    for resource in _plugins(resources):
        path = module_path(resource)
        content = _read(path)
        if content is None:
            message = f"{path} is no file that can be read here"
            remedy = "put the module there, or beside this YAML and write url: file://NAME"
            yield replace(resource.problem(("spec", "url"), message, "", remedy), unsupported=True)
        elif not content.startswith(_MAGIC):
            yield resource.problem(("spec", "url"), f"{path} is no WebAssembly", "a binary module")
        elif resource.spec.sha256 not in ("", _sum(content)):
            message = f"is not the sum of {path}"
            yield resource.problem(("spec", "sha256"), message, _sum(content))


def find_by_outgoing_port(
    resources: Iterable[Resource], sidecars: Iterable[Workload], root: str
) -> Iterator[Problem]:
    """Matches of a port that a sidecar calls: without pods its calls share one listener."""
    workloads = list(sidecars)
    for resource in _plugins(resources):
        plugin = resource.spec
        selected = [
            w
            for w in workloads
            if not plugin.has_target
            and resource.namespace in (w.namespace, root)
            and is_selected(plugin.selector, w.labels)
        ]
        for index, match in enumerate(plugin.match):
            if selected and match.ports and match.mode != "SERVER":
                yield resource.problem(
                    ("spec", "match", index, "ports"),
                    "are ports of outgoing calls, too, and without pods those share one listener",
                    "mode: SERVER, or a selector of gateways",
                    "run in pods, leave it out, or run with MESH=kind",
                )


def read_modules(resources: Iterable[Resource]) -> dict[tuple[str, str], WasmModule]:
    """The module of each plugin as it is now, by namespace and name."""
    return {
        (resource.namespace, resource.name): WasmModule(str(path), _sum_of(path))
        for resource in _plugins(resources)
        for path in (module_path(resource),)
    }


def module_path(resource: Resource) -> Path:
    """A relative path is beside the document."""
    plugin: WasmPlugin = resource.spec
    return (Path(resource.location.file).parent / plugin.path).absolute()


def _plugins(resources: Iterable[Resource]) -> Iterator[Resource]:
    return (r for r in resources if isinstance(r.spec, WasmPlugin))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _sum_of(path: Path) -> str:
    """Empty where there is no such file; read again only when the file was written again."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return _sum_at(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _sum_at(path: Path, _written: int, _size: int) -> str:
    content = _read(path)
    return "" if content is None else _sum(content)


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
