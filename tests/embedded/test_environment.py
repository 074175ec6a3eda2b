"""What an app inherits: no proxy of the caller's, and the way out in both cases."""

from __future__ import annotations

from meshproof.embedded.pod import environment


def test_no_proxy_variable_is_inherited() -> None:
    caller = {"PATH": "/bin", "HTTP_PROXY": "http://p", "all_proxy": "http://p", "SECRET": "x"}
    assert environment.base(caller) == {"PATH": "/bin", "LANG": "C.UTF-8"}
    assert environment.without_proxy(caller) == {"PATH": "/bin", "SECRET": "x"}


def test_the_way_out_is_said_in_both_cases() -> None:
    variables = environment.proxy("127.16.1.1")
    for name in ("http_proxy", "https_proxy"):
        assert variables[name] == variables[name.upper()] == "http://127.16.1.1:15001"
    assert variables["NO_PROXY"] == variables["no_proxy"] == "localhost,127.0.0.1,::1"
