"""Certificates of the mesh's own authority."""

from __future__ import annotations

from cryptography import x509

from meshproof.embedded.config.certificate_authority import Authority


def test_a_certificate_is_valid_for_a_day_and_its_key_is_its_own() -> None:
    authority = Authority()
    pairs = [authority.issue("spiffe://cluster.local/ns/a/sa/b") for _ in range(2)]
    assert len({pair.key for pair in pairs}) == 2
    for pair in pairs:
        certificate = x509.load_pem_x509_certificate(pair.chain.encode())
        valid = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        assert valid.total_seconds() <= 24 * 3600 + 120
