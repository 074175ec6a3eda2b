"""The settings of a load process, and their form as environment variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_PREFIX = "MESHPROOF_LOAD_"


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """One run's settings. Everything has a default, so that plain ``locust`` works too."""

    run_id: str = ""
    """Sent as ``x-run-id`` with every request; empty: a random one."""
    records: str = ""
    """File that gets one JSON line a request; empty: none is written."""
    stats: str = ""
    """File that gets Locust's own totals at the end; empty: none is written."""
    requests: int = 0
    """Exactly this many requests are sent, over all users; 0: no bound."""
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_environment(self) -> dict[str, str]:
        return {
            f"{_PREFIX}RUN_ID": self.run_id,
            f"{_PREFIX}RECORDS": self.records,
            f"{_PREFIX}STATS": self.stats,
            f"{_PREFIX}REQUESTS": str(self.requests),
            f"{_PREFIX}PATH": self.path,
            f"{_PREFIX}HEADERS": json.dumps(dict(self.headers)),
        }

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> LoadSettings:
        """Raises ValueError that names the variable for a value of the wrong type."""

        def text(name: str, default: str) -> str:
            return environment.get(_PREFIX + name) or default

        requests, headers = text("REQUESTS", "0"), text("HEADERS", "{}")
        if not requests.isdecimal():
            raise ValueError(f"{_PREFIX}REQUESTS is {requests!r}; wanted a whole number")
        try:
            parsed = json.loads(headers)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not all(isinstance(v, str) for v in parsed.values()):
            raise ValueError(f"{_PREFIX}HEADERS is {headers!r}; wanted a JSON object of strings")
        return cls(
            text("RUN_ID", ""), text("RECORDS", ""), text("STATS", ""), int(requests),
            text("PATH", "/"), parsed,
        )  # fmt: skip
