"""A document's metadata, and annotations that are not ignored."""

from __future__ import annotations

import pytest

from meshproof.errors import Refused
from meshproof.model.reader import read_text
from tests.model.conftest import Refusal
from tests.model.security import HEAD, POLICY, TOKENS, refusal


@pytest.mark.parametrize(
    ("kind", "name", "valid"),
    [
        ("ClusterRole", "system:node", True),
        ("RoleBinding", "A b", True),
        ("ClusterRoleBinding", "a/b", False),
        ("Role", "..", False),
        ("Service", "system:node", False),
    ],
)
def test_names_of_roles_are_segments_of_a_path(kind: str, name: str, valid: bool) -> None:
    version = "v1" if kind == "Service" else "rbac.authorization.k8s.io/v1"
    head = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: '{name}'}}\n"
    text = f"{head}spec: {{ports: [{{port: 80}}]}}"
    if valid:
        assert read_text(text, "f.yaml")[0].name == name
        return
    with pytest.raises(Refused, match=r"metadata\.name"):
        read_text(text, "f.yaml")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("{name: Svc}", 'f.yaml:3: Service Svc: metadata.name: is "Svc"; wanted at most 63 '
         "lower-case letters, digits and -, a letter first"),
        ("{}", "f.yaml:3: Service: metadata.name: is missing; wanted a name"),
        ("{name: 5}", "f.yaml:3: Service: metadata.name: is 5, which YAML reads as a number; "
         'wanted a string; quote it: "5"'),
        ("{name: a, labels: {v: yes}}", "f.yaml:3: Service a: metadata.labels.v: is yes, which "
         'YAML reads as a boolean; wanted a string; quote it: "yes"'),
        ("{name: a, label: {}}", "f.yaml:3: Service a: metadata.label: is not a field of metadata; "
         "did you mean labels?"),
        ("{name: a, namespace: b}", "f.yaml:3: Service b/a: metadata.namespace: is b; "
         "wanted pay, as -n says; call with -n b, or remove the field"),
    ],
)  # fmt: skip
def test_metadata(refusal: Refusal, metadata: str, message: str) -> None:
    text = f"apiVersion: v1\nkind: Service\nmetadata: {metadata}\nspec: {{ports: [{{port: 80}}]}}"
    assert refusal(text, namespace="pay") == [message]


@pytest.mark.parametrize(("value", "dry_run"), [("true", True), ("T", True), ("false", False)])
def test_a_policy_that_is_only_tried(value: str, dry_run: bool) -> None:
    more = f", annotations: {{istio.io/dry-run: '{value}', a: b}}"
    (policy,) = read_text(HEAD.format(kind=POLICY, more=more), "f.yaml")
    assert policy.dry_run is dry_run


def test_what_istio_reads_as_no_truth_value_is_refused() -> None:
    more = ", annotations: {istio.io/dry-run: 'yes'}"
    assert "no truth value" in refusal(POLICY, "{}", more)


def test_a_dry_run_of_tokens_is_refused() -> None:
    more = ", annotations: {istio.io/dry-run: 'true'}"
    assert "a dry run" in refusal(TOKENS, "{}", more)
