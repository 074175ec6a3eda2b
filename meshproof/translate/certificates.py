"""Certificates that rules name: Secrets, and files of a proxy's container (Istio:
pilot/pkg/credentials/kube/secrets.go)."""

from __future__ import annotations

from meshproof.translate.proto import Json
from meshproof.translate.world import Proxy, TlsSecret, World

CONFIG_MAP = "configmap://"
"""Begins the name of a ``TlsSecret`` that a ConfigMap holds."""
_CA_SUFFIX = "-cacert"


class Certificates:
    """The certificates that one proxy can read."""

    def __init__(self, world: World, proxy: Proxy) -> None:
        self._proxy, self._missing = proxy, world.missing_files
        self._secrets = {(s.namespace, s.name): s for s in world.tls_secrets}

    def find(self, name: str) -> TlsSecret | None:
        """``name`` or ``namespace/name``, with or without Istio's ``kubernetes://``; authorities of
        a ConfigMap are ``configmap://namespace/name``."""
        scheme, mark, rest = name.partition("://")
        namespace, slash, short = (rest if mark else name).rpartition("/")
        kind = CONFIG_MAP if scheme == "configmap" else ""
        return self._secrets.get((namespace if slash else self._proxy.namespace, kind + short))

    def find_ca(self, name: str) -> TlsSecret | None:
        """The authorities of a credential: of the Secret ``NAME-cacert``, else of its own."""
        candidates = (self.find(f"{name}{_CA_SUFFIX}"), self.find(name))
        return next((s for s in candidates if s and s.ca), None)

    def file(self, path: str) -> Json | None:
        """A file of the gateway's container: of a Secret that it mounts, else of this machine. None
        where neither has it."""
        text = self._proxy.files.get(path)
        if text is not None:
            return {"inline_string": text}
        return None if path in self._missing else {"filename": path}
