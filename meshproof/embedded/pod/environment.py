"""Environment variables of a container besides its own: the caller's locale, and the proxy."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.translate.world import PROXY_PORT

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME")
NO_PROXY = "localhost,127.0.0.1,::1"


def base(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's PATH, HOME and locale. No ``*_proxy`` variable is ever inherited."""
    inherited = {name: environ[name] for name in _INHERITED if name in environ}
    inherited.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
    inherited.setdefault("LANG", "C.UTF-8")
    return inherited


def proxy(ip: str) -> dict[str, str]:
    """The sidecar at ``ip`` as the proxy, in lower and upper case: curl ignores ``HTTP_PROXY``."""
    url = f"http://{ip}:{PROXY_PORT}"
    return {
        "http_proxy": url,
        "HTTP_PROXY": url,
        "https_proxy": url,
        "HTTPS_PROXY": url,
        "no_proxy": NO_PROXY,
        "NO_PROXY": NO_PROXY,
    }
