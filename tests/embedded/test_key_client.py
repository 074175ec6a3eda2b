"""How the mesh asks outside hosts for keys: by their declared names, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.certificates import Authority
from e2e.support.http_server import Handler, serve
from meshproof.embedded.token_keys.key_client import FetchError, KeyClient
from meshproof.model.reader import read_text
from meshproof.translate.world import Address, Outside

PAGES = {
    "/k": (200, "", "keys of {host}"),
    "/moved": (302, "/k", ""),
    "/away": (302, "http://elsewhere.test/k", ""),
    "/round": (302, "/round", ""),
    "/no": (503, "", "not now"),
}


class Keys(Handler):
    def respond(self) -> None:
        status, location, text = PAGES[self.path]
        body = text.format(host=self.headers["Host"]).encode()
        self.answer(body, status, {"location": location} if location else {})


def fetch(client: KeyClient, url: str) -> str:
    return asyncio.run(client.fetch(url, 10))


@pytest.fixture(scope="module")
def client() -> Iterator[KeyClient]:
    with serve(Keys) as port:
        address = Address("127.0.0.1", port)
        yield KeyClient(lambda: [Outside("keys.test", {80: address, 81: address})])


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("http://keys.test/k", "keys of keys.test"),
        ("http://KEYS.test:81/k", "keys of keys.test:81"),
        ("http://keys.test/moved", "keys of keys.test"),
    ],
)
def test_a_declared_host_is_asked_by_its_name(client: KeyClient, url: str, body: str) -> None:
    assert fetch(client, url) == body


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://keys.test/no", "answered 503 'not now'"),
        ("http://keys.test/round", "more than 10 redirects"),
        ("http://keys.test/away", "elsewhere.test:80 is not a declared outside host"),
        ("http://keys.test:82/k", "keys.test:82 is not a declared outside host"),
        ("https://keys.test/k", "keys.test:443 is not a declared outside host"),
        ("me@keys.test", "is not a declared outside host"),
    ],
)
def test_why_there_is_no_answer(client: KeyClient, url: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason):
        fetch(client, url)


def test_https_takes_a_certificate_of_istio_s_further_authorities_alone(tmp_path: Path) -> None:
    authority = Authority()
    tls = authority.issue("keys.test").server_context(tmp_path)
    roots = authority.root.replace("\n", "\n    ")
    text = (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata: {name: pilot-jwks-extra-cacerts, namespace: istio-system}\n"
        f"data:\n  extra.pem: |\n    {roots}\n"
    )
    with serve(Keys, tls=tls) as port:
        address = Address("127.0.0.1", port)
        client = KeyClient(lambda: [Outside("keys.test", {443: address})])
        with pytest.raises(FetchError, match="certificate"):
            fetch(client, "https://keys.test/k")
        client.trust(read_text(text, "f.yaml"))
        assert fetch(client, "https://keys.test/k") == "keys of keys.test"
        client.trust([])
        with pytest.raises(FetchError, match="certificate"):
            fetch(client, "https://keys.test/k")
