"""``version``."""

from __future__ import annotations

from meshproof.cli.app import app
from meshproof.cli.options import Format, Output
from meshproof.cli.output import show_json
from meshproof.cluster import versions

ISTIO = versions.minor(versions.ISTIO)
"""The Istio whose behaviour the embedded mesh follows."""


@app.command()
def version(output: Output = Format.TEXT) -> None:
    """Print the versions of meshproof and Envoy, and the Istio that is followed."""
    import importlib.metadata  # noqa: PLC0415  (18 ms that no other command needs)

    from meshproof.embedded.pod import envoy_binary  # noqa: PLC0415  (only this command asks the binary)

    found = {
        "meshproof": importlib.metadata.version("meshproof"),
        "envoy": envoy_binary.version(),
        "istio": ISTIO,
    }
    if output is Format.JSON:
        show_json(found)
        return
    print(f"meshproof {found['meshproof']}")
    print(f"Envoy {found['envoy']}")
    print(f"follows Istio {found['istio']}")
