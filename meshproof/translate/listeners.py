"""Listeners that stand on every proxy: the outbound proxy, the probe; and their common shape."""

from __future__ import annotations

from typing import Literal

from meshproof.translate.hcm import access_log, manager, upgrades
from meshproof.translate.metrics import client_metrics, client_tcp_metrics
from meshproof.translate.peer_metadata import announce_peer
from meshproof.translate.proto import Json, tcp
from meshproof.translate.resource_names import OUTBOUND, PROBE
from meshproof.translate.telemetry import EVERYTHING, Reporting
from meshproof.translate.workload_metadata import WorkloadMetadata
from meshproof.translate.world import PROBE_PORT, PROXY_PORT

_BUFFER = 1048576


def listener(
    name: str,
    ip: str,
    port: int,
    chains: list[Json],
    direction: Literal["INBOUND", "OUTBOUND", "UNSPECIFIED"],
    **more: object,
) -> Json:
    """A listener that owns its port: without ``enable_reuse_port: false`` two Envoys would share
    it in silence."""
    return {
        "name": name,
        "address": tcp(ip, port),
        "enable_reuse_port": False,
        "per_connection_buffer_limit_bytes": _BUFFER,
        "traffic_direction": direction,
        "filter_chains": chains,
        **more,
    }


def outbound_listener(
    ip: str, workload: WorkloadMetadata, log: str, report: Reporting = EVERYTHING
) -> Json:
    """The forward proxy: absolute-form requests and CONNECT for every port, one route table.

    HTTP/1.0 is taken, unlike in Istio (426): Python before 3.12 asks for tunnels with it.
    """
    http = manager(
        OUTBOUND,
        routes=OUTBOUND,
        logs=[
            *access_log(log, "outbound", report),
            client_metrics(workload),
            client_tcp_metrics(workload),
        ],
        workload=workload,
        report=report,
        can_fault=True,
        early_header_mutation_extensions=announce_peer(workload),
        upgrade_configs=upgrades("CONNECT", "websocket"),
        http_protocol_options={"accept_http_10": True},
    )
    return listener(OUTBOUND, ip, PROXY_PORT, [{"filters": [http]}], "OUTBOUND")


def probe_listener(ip: str, log: str) -> Json:
    """Answers 200 to anything and logs it: whoever reads its line knows that all earlier lines of
    this proxy are in the file."""
    routes: Json = {
        "name": PROBE,
        "virtual_hosts": [
            {
                "name": PROBE,
                "domains": ["*"],
                "routes": [
                    {
                        "name": PROBE,
                        "match": {"prefix": "/"},
                        "direct_response": {"status": 200},
                    }
                ],
            }
        ],
    }
    http = manager(PROBE, routes=routes, logs=access_log(log, "probe"))
    return listener(PROBE, ip, PROBE_PORT, [{"filters": [http]}], "UNSPECIFIED")
