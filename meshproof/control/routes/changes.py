"""Changes of the mesh; each answers when it is live on every sidecar concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshproof.control.endpoint import change, immediate
from meshproof.control.wire import Json
from meshproof.inputs import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.control.context import ControlContext
    from meshproof.mesh import Applied


def _file_names(arguments: Json) -> str:
    return ", ".join(file for file, _ in arguments["sources"])


def _describe_scale(arguments: Json) -> str:
    return f"{arguments['workload']}={arguments['replicas']}"


def _describe_fault(arguments: Json) -> str:
    options = {k: v for k, v in arguments.items() if k not in ("kind", "workload")}
    parts = (arguments["kind"], arguments["workload"], *(f"{k}={v}" for k, v in options.items()))
    return " ".join(part for part in parts if part)


@change(_file_names)
def apply(
    context: ControlContext,
    sources: Sequence[tuple[str, str]],
    namespace: str = "",
    strict: bool = False,
) -> Applied:
    """``sources`` are ``mesh.Source``, or pairs of file name and YAML."""
    texts = [Source(*pair) for pair in sources]
    return context.mesh.apply(texts, namespace=namespace, strict=strict)


@change(_file_names)
def delete(
    context: ControlContext, sources: Sequence[tuple[str, str]], namespace: str = ""
) -> Applied:
    """``sources`` are ``mesh.Source``, or pairs of file name and YAML."""
    texts = [Source(*pair) for pair in sources]
    return context.mesh.delete(texts, namespace=namespace)


@change(lambda _: "")
def reset(context: ControlContext) -> Applied:
    return context.mesh.reset()


@change(_describe_scale)
def scale(context: ControlContext, workload: str, replicas: int) -> Applied:
    return context.mesh.scale(workload, replicas)


@change(_describe_fault)
def fault(context: ControlContext, /, kind: str, workload: str, **options: Any) -> None:
    """Kinds and options are those of ``Mesh.fault``."""
    context.mesh.fault(kind, workload, **options)


@immediate
def down(context: ControlContext) -> None:
    """Ask for the end; the mesh's process ends after this returned."""
    context.request_down()
