"""Whom the applied RequestAuthentications need keys from. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meshproof.admission.store import Store
from meshproof.errors import Problem
from meshproof.model.jwks import KeySource


def key_sources(store: Store) -> dict[KeySource, float | None]:
    """Every source, with the seconds that its rule gives it, if it does."""
    return {
        rule.key_source: rule.timeout
        for resource in store.of("RequestAuthentication")
        for rule in resource.spec.jwt_rules
        if rule.key_source is not None
    }


def warn_of_missing_keys(store: Store, failures: Mapping[KeySource, str]) -> Iterator[Problem]:
    """A warning for each rule of a source in ``failures``, which says why there are no keys."""
    for resource in store.of("RequestAuthentication") if failures else ():
        for index, rule in enumerate(resource.spec.jwt_rules):
            if rule.key_source in failures:
                yield resource.problem(
                    ("spec", "jwtRules", index, "jwksUri" if rule.jwks_uri else "issuer"),
                    f"its keys could not be fetched, so no token of it is taken (401): "
                    f"{failures[rule.key_source]}",
                    remedy="it is asked again for some seconds, and with the next change",
                )
