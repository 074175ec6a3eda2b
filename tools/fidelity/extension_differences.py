"""The differences of EnvoyFilter and WasmPlugin; see ``differences``."""

from __future__ import annotations

from collections.abc import Mapping

EXTENSIONS: Mapping[str, str] = {
    "envoy_filter.EnvoyFilter.configPatches": (
        "patches as in Istio; what Istio passes over in silence (applyTo BOOTSTRAP, an operation "
        "that applyTo does not have) is a warning. The configuration of an EXTENSION_CONFIG comes "
        "with the listener that names it; where none does, the filter answers 500 or closes "
        "connections. A new listener of a gateway, or of a sidecar without pods, listens at its "
        "proxy's own address. Istio's virtualInbound is a "
        "listener for each port here; in proxy mode the sidecar's outbound listener has no port. "
        "A cluster of your own finds servers in the mesh and among declared hosts alone"
    ),
    "wasm_plugin.WasmPlugin.url": (
        "file://PATH alone, since nothing is fetched: a file of this machine, or, if PATH is "
        "relative, one beside the YAML; it must be there. Its configuration comes with the "
        "listener: an Envoy that cannot load it refuses the change, which is rolled back"
    ),
    "wasm_plugin.WasmPlugin.sha256": "also compared with a file's; Istio compares downloads alone",
    "wasm_plugin.WasmPlugin.match": (
        "without pods a sidecar's outgoing calls share one listener: ports of theirs are refused, "
        "and a plugin sees the CONNECT of a tunnel, too"
    ),
    "wasm_plugin.EnvVar.valueFrom": "HOST is what ProxyConfig adds to the proxy's environment",
}
