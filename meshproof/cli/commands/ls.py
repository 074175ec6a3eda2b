"""``ls``: list the resources that are applied."""

from __future__ import annotations

from meshproof.cli.app import app
from meshproof.cli.options import DEFAULT_NAME, Format, Name, OnlyNamespace, Output, client
from meshproof.cli.output import show_json, show_table


@app.command()
def ls(
    namespace: OnlyNamespace = "", output: Output = Format.TEXT, name: Name = DEFAULT_NAME
) -> None:
    """List the resources that are applied."""
    resources = [_parse_title(title) for title in client(name).status()["resources"]]
    resources = [r for r in resources if not namespace or r["namespace"] == namespace]
    if output is Format.JSON:
        show_json(resources)
    else:
        show_table(("Kind", "Namespace", "Name"), [tuple(r.values()) for r in resources])


def _parse_title(title: str) -> dict[str, str]:
    """``VirtualService default/svcb`` in its parts."""
    kind, _, qualified_name = title.partition(" ")
    namespace, _, name = qualified_name.rpartition("/")
    return {"kind": kind, "namespace": namespace, "name": name}
