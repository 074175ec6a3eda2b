"""RequestAuthentications that require nothing."""

from __future__ import annotations

import pytest

from meshproof.lint.rules import HINTS
from tests.lint.findings import authorization_policy, findings_of

TOKEN = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: t}
spec:
  selector: {matchLabels: {app: svcb}}
  jwtRules:
    - issuer: me
      jwks: '{"keys":[{"kty":"oct","k":"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"}]}'
---
"""


def test_a_token_that_nobody_asks_for_is_a_hint() -> None:
    for other in (
        "",
        authorization_policy(),
        authorization_policy('requestPrincipals: ["*"]').replace("app: svcb", "app: svca"),
    ):
        (problem,) = findings_of(TOKEN + other, "token-not-required")
        assert problem.rule in HINTS
        assert problem.field == "spec.jwtRules"


@pytest.mark.parametrize("source", ['requestPrincipals: ["*"]', 'notRequestPrincipals: ["*"]'])
def test_a_token_that_a_policy_asks_for(source: str) -> None:
    assert findings_of(TOKEN + authorization_policy(source), "token-not-required") == []
    with_condition = authorization_policy().replace(
        "rules: [{", "rules: [{when: [{key: 'request.auth.claims[sub]', values: [a]}], "
    )
    assert findings_of(TOKEN + with_condition, "token-not-required") == []
