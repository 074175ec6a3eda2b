"""Addresses of WorkloadEntries, and the files of a DestinationRule's tls."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from meshproof.model.destination_rule_tls import ClientTLSSettings
from meshproof.model.workload_entry import WorkloadEntry


@pytest.mark.parametrize(
    "spec", [{"address": "10.0.0.1"}, {"address": "unix:///run/s"}, {"network": "far"}]
)
def test_where_an_entry_may_be(spec: dict[str, str]) -> None:
    assert WorkloadEntry.model_validate(spec).address == spec.get("address", "")


@pytest.mark.parametrize("spec", [{}, {"address": "a b"}, {"address": "", "network": ""}])
def test_where_an_entry_cannot_be(spec: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        WorkloadEntry.model_validate(spec)


def test_a_relative_file_is_in_the_root() -> None:
    """Where Istio's proxy works."""
    spec = {"mode": "SIMPLE", "caCertificates": "etc/ca.pem", "caCrl": "/crl.pem"}
    tls = ClientTLSSettings.model_validate(spec)
    assert (tls.ca_certificates, tls.ca_crl) == ("/etc/ca.pem", "/crl.pem")
