"""The hosts, paths, headers and values that drawn rules and requests share, so that they meet."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
HOSTS = (
    *("echo",) * 6, "echo.conf", "echo.conf.svc.cluster.local", "echo:80", "ECHO", "other",
    "outside.test", "outside.test:80", "echo:81", "nowhere.test",
)  # fmt: skip
GATEWAY_HOSTS = (*("shop.test",) * 3, "shop.test:8080", "a.wild.test", "wild.test", "other.test")
METHODS = ("GET", "GET", "GET", "POST", "PUT", "DELETE", "OPTIONS")
PATHS = (
    "/", "/a", "/a/", "/a/b", "/A/B", "/ab", "/a/b/c", "/pay", "/pay/1", "/x.json", "/a%2Fb",
    "/%61", "/a/../pay", "/a/./b", "/pay/..", "//a", "/a;v=1",
)  # fmt: skip
QUERIES = ("", "", "", "?q=1", "?q=2&q=1", "?q", "?r=%31&q=10", "?")
HEADERS = ("x-user", "x-mode", "cookie", "origin")
VALUES = ("jason", "jay", "a", "a=1; user=jason", "JASON", "")
