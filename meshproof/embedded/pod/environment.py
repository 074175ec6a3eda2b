"""What a container's process gets to see: its own variables, the way out, and little else."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.translate.world import PROXY_PORT

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME")
NO_PROXY = "localhost,127.0.0.1,::1"


def base(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's PATH, HOME and locale. No ``*_proxy`` variable is ever inherited."""
    kept = {name: environ[name] for name in _KEPT if name in environ}
    kept.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
    kept.setdefault("LANG", "C.UTF-8")
    return kept


def proxy(ip: str) -> dict[str, str]:
    """The way out through the sidecar at ``ip``, in both cases: curl ignores ``HTTP_PROXY``."""
    url = f"http://{ip}:{PROXY_PORT}"
    return {
        "http_proxy": url,
        "HTTP_PROXY": url,
        "https_proxy": url,
        "HTTPS_PROXY": url,
        "no_proxy": NO_PROXY,
        "NO_PROXY": NO_PROXY,
    }


def without_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` less every proxy variable, in whatever case."""
    return {k: v for k, v in environ.items() if not k.lower().endswith("_proxy")}
