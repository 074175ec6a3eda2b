"""HTTP connection managers: the filter that every listener has, with its tracing and access log."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.translate import cors, faults
from meshproof.translate.proto import ADS, Json, build_any, build_extension, build_route_filter
from meshproof.translate.telemetry import EVERYTHING, Reporting
from meshproof.translate.tracing import build_tracing, request_id_fields
from meshproof.translate.workload_metadata import WorkloadMetadata

DOWNSTREAM_IDLE = "3600s"
"""How long a client may keep an idle connection: longer than the idle timeout of any upstream
pool of ours."""

_FILTER = "envoy.filters.network.http_connection_manager"
_HCM = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "envoy.extensions.filters.http.router.v3.Router"


def build_connection_manager(
    prefix: str,
    *,
    routes: str | Json,
    logs: list[Json],
    workload: WorkloadMetadata | None = None,
    can_fault: bool = False,
    first_filters: Iterable[Json] = (),
    hide_debug_headers: bool = False,
    report: Reporting = EVERYTHING,
    **fields: object,
) -> Json:
    """The network filter. ``routes`` is an RDS name or a RouteConfiguration. Without ``workload``
    there are no spans. ``can_fault`` lets routes inject faults and answer CORS preflights.
    ``first_filters`` run before all others; ``fields`` are more fields of the filter."""
    source: Json = {"route_config": routes}
    if isinstance(routes, str):
        source = {"rds": {"route_config_name": routes, "config_source": ADS}}
    router: Json = {"dynamic_stats": False}
    if hide_debug_headers:
        router["suppress_envoy_headers"] = True
    filters = [build_extension("envoy.filters.http.router", _ROUTER, **router)]
    first = list(first_filters)
    if can_fault:
        # A filter that runs for every request may choose the route anew, by a token's claims.
        build = build_route_filter if all(f.get("disabled") for f in first) else build_extension
        filters[:0] = [build(f.FILTER, f.TYPE) for f in (faults, cors)]
    filters[:0] = first
    config: Json = {
        "stat_prefix": prefix,
        "codec_type": "AUTO",
        **source,
        "http_filters": filters,
        "common_http_protocol_options": {"idle_timeout": DOWNSTREAM_IDLE},
        "stream_idle_timeout": "0s",
        "drain_timeout": "1s",
        "use_remote_address": False,
        "normalize_path": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "access_log": logs,
        **fields,
    }
    if workload is not None and report.spans:
        config["tracing"] = build_tracing(workload, report)
        config |= request_id_fields(report)
    return {"name": _FILTER, "typed_config": build_any(_HCM, **config)}


def upgrade_configs(*types: str) -> list[Json]:
    return [{"upgrade_type": name} for name in types]
