"""What an app inherits: no proxy of the caller's, and its sidecar as the proxy."""

from __future__ import annotations

from meshproof.embedded.pod import environment


def test_no_proxy_variable_is_inherited() -> None:
    caller = {"PATH": "/bin", "HTTP_PROXY": "http://p", "all_proxy": "http://p", "SECRET": "x"}
    assert environment.base(caller) == {"PATH": "/bin", "LANG": "C.UTF-8"}


def test_the_sidecar_is_the_proxy_in_lower_and_upper_case() -> None:
    variables = environment.proxy("127.16.1.1")
    for name in ("http_proxy", "https_proxy"):
        assert variables[name] == variables[name.upper()] == "http://127.16.1.1:15001"
    assert variables["NO_PROXY"] == variables["no_proxy"] == "localhost,127.0.0.1,::1"
