"""HTTP and HTTPS requests of the mesh itself, to declared outside hosts alone.

https is verified against the public authorities and those of Istio's ConfigMap
``pilot-jwks-extra-cacerts`` (``values.pilot.jwksResolverExtraRootCA``).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping

import aiohttp
import certifi
from yarl import URL

from meshproof.istio_names import ROOT_NAMESPACE
from meshproof.model.jwks import PORTS, authority
from meshproof.model.resource import Resource
from meshproof.translate.world import Address, Outside

_REDIRECTS = 10
"""As many as Go's client follows."""
_EXTRA_ROOTS = "pilot-jwks-extra-cacerts"
_SHOWN = 100
"""Bytes of a refusal's body in a message."""


class FetchError(Exception):
    """Why there is no answer, in words for a message."""


class KeyClient:
    """``hosts`` gives the declared hosts with their real addresses."""

    def __init__(self, hosts: Callable[[], Iterable[Outside]]) -> None:
        self._hosts = hosts
        self._roots = ""

    def trust(self, resources: Iterable[Resource]) -> None:
        """Verify https with the further authorities of these resources, from now on."""
        self._roots = "\n".join(
            r.spec.texts.get("extra.pem", "")
            for r in resources
            if r.kind == "ConfigMap"
            and r.namespace == ROOT_NAMESPACE
            and (r.name == _EXTRA_ROOTS or r.name.startswith(f"{_EXTRA_ROOTS}-"))
        ).strip()

    async def fetch(self, url: str, timeout: float) -> str:
        """The body of a successful answer. Raises FetchError."""
        try:
            async with asyncio.timeout(timeout):
                return await self._follow(url)
        except TimeoutError:
            raise FetchError(f"{url} did not answer within {timeout:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchError(f"{url}: {str(error) or type(error).__name__}") from error

    async def _follow(self, url: str) -> str:
        for _ in range(_REDIRECTS):
            status, headers, body = await self._get(url)
            if status in (301, 302, 303, 307, 308) and (target := headers.get("location")):
                url = str(URL(url).join(URL(target)))
                continue
            if not 200 <= status < 300:
                raise FetchError(f"{url} answered {status} {body[:_SHOWN]!r}")
            return body
        raise FetchError(f"{url}: more than {_REDIRECTS} redirects")

    async def _get(self, url: str) -> tuple[int, Mapping[str, str], str]:
        target, (host, port) = URL(url), authority(url)
        address = self._address(host, port)
        if address is None:
            raise FetchError(f"{url}: {host}:{port} is not a declared outside host")
        header = host if port == PORTS.get(target.scheme) else f"{host}:{port}"
        secure = self._context() if target.scheme == "https" else False
        connector = aiohttp.TCPConnector(ssl=secure, force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=False) as session,
            session.get(
                target.with_host(address.ip).with_port(address.port),
                headers={"Host": header},
                allow_redirects=False,
                server_hostname=host if target.scheme == "https" else None,
            ) as response,
        ):
            return response.status, response.headers, await response.text()

    def _address(self, host: str, port: int) -> Address | None:
        by_name = {outside.host.lower(): outside.ports for outside in self._hosts()}
        return by_name.get(host, {}).get(port)

    def _context(self) -> ssl.SSLContext:
        """Takes what Go takes, which istiod is written in: authorities without the extensions that
        OpenSSL's strict mode, Python 3.13's default, asks for."""
        context = ssl.create_default_context(cafile=certifi.where())
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self._roots:
            context.load_verify_locations(cadata=self._roots)
        return context
