"""What a route does besides forwarding: timeouts, retries, header operations, filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from meshproof.explain.http_filters import nearest_config
from meshproof.explain.string_match import Json


def configuration_of(route: Json, levels: Sequence[Json], manager: Json) -> dict[str, Json]:
    """A route, and each HTTP filter with the configuration that is in force on it. ``levels`` are
    the route, its virtual host and its table."""
    filters = {
        f["name"]: nearest_config(levels, f["name"]) or f.get("typed_config", {})
        for f in manager.get("http_filters", ())
    }
    return {"route": route, "filters": filters}


def timeout_notes(action: Json) -> Iterator[str]:
    timeout = action.get("timeout", "15s")
    if timeout.rstrip("s").strip("0.") != "":
        yield f"504 after {timeout}"
    if retry := action.get("retry_policy"):
        retries = retry.get("num_retries", 1)
        per_try = f", {retry['per_try_timeout']} a try" if "per_try_timeout" in retry else ""
        codes = retry.get("retriable_status_codes", ())
        on = ", ".join([*retry.get("retry_on", "").split(","), *map(str, codes)])
        yield f"up to {retries} retries on {on}{per_try}"


def header_notes(levels: Sequence[Json]) -> Iterator[str]:
    for level in levels:
        for side in ("request", "response"):
            for entry in level.get(f"{side}_headers_to_add", ()):
                header = entry["header"]
                action = entry.get("append_action", "APPEND_IF_EXISTS_OR_ADD")
                verb = "set" if action.startswith("OVERWRITE") else "added"
                yield f"{side} header {header['key']}: {header.get('value', '')} is {verb}"
            for name in level.get(f"{side}_headers_to_remove", ()):
                yield f"{side} header {name} is removed"
