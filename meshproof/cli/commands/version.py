"""``version``: the versions of meshproof, Envoy and Istio."""

from __future__ import annotations

from meshproof.cli.app import app
from meshproof.cli.options import Format, Output
from meshproof.cli.output import show_json
from meshproof.cluster import versions

ISTIO = versions.minor(versions.ISTIO)
"""The Istio whose behaviour the embedded mesh follows."""


@app.command()
def version(output: Output = Format.TEXT) -> None:
    """Print the versions of meshproof, of Envoy, and of the Istio release that it follows."""
    import importlib.metadata  # noqa: PLC0415  (18 ms that no other command needs)

    from meshproof.embedded.pod import envoy_binary  # noqa: PLC0415  (only this command asks the binary)

    installed = {
        "meshproof": importlib.metadata.version("meshproof"),
        "envoy": envoy_binary.version(),
        "istio": ISTIO,
    }
    if output is Format.JSON:
        show_json(installed)
        return
    print(f"meshproof {installed['meshproof']}")
    print(f"Envoy {installed['envoy']}")
    print(f"follows Istio {installed['istio']}")
