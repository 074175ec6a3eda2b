"""What the API server and Istio's webhook refuse stands at the file, line and field that it names.

The texts are those of a real run: tests/fakes/recordings.jsonl, and its log of commands.
"""

from __future__ import annotations

import pytest

from meshproof.cluster.server_errors import parse_refusals
from meshproof.errors import Problem
from meshproof.istio04.lower import lower
from meshproof.model.reader import read_text
from meshproof.model.resource import Resource
from tests.fakes.cluster_machine import recorded

RULES = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: svcb, namespace: payments}
spec:
  host: svcb
  subsets:
    - name: v1
      labels: {version: "1"}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: svcb, namespace: payments}
spec:
  hosts: [svcb]
  http:
    - match:
        - uri: {regex: "/.*"}
      route:
        - destination: {host: svcb, subset: v1}
          weight: 100
"""
DRY_RUN = "kubectl --kubeconfig kubeconfig -n recording apply --dry-run=server -f -"
RE2 = (
    '"uri": error parsing regexp: invalid or unsupported Perl syntax: `(?!`; Istio uses RE2 style '
    "regex-based match (https://github.com/google/re2/wiki/Syntax)"
)
DENIED = (
    f'admission webhook "validation.istio.io" denied the request: configuration is invalid: {RE2}'
)
ACCEPTED = "destinationrule.networking.istio.io/svcb unchanged (server dry run)\n"


@pytest.fixture
def rules() -> list[Resource]:
    return read_text(RULES, "rules.yaml")


def place(problem: Problem) -> tuple[str, int, str, str]:
    return (problem.file, problem.line, problem.resource, problem.field)


def test_a_value_of_the_wrong_type_as_recorded(rules: list[Resource]) -> None:
    _code, output, errors = recorded(DRY_RUN, "bad weight")
    (problem,) = parse_refusals(output, errors, rules)
    field = "spec.http[0].route[0].weight"
    assert place(problem) == ("rules.yaml", 20, "VirtualService payments/svcb", field)
    assert problem.found == (
        'is refused by the API server: Invalid value: "string": must be of type integer: "string"'
    )


def test_an_unknown_field_as_recorded(rules: list[Resource]) -> None:
    _code, output, errors = recorded(DRY_RUN, "unknown field")
    (problem,) = parse_refusals(output, errors, rules)
    assert place(problem) == ("rules.yaml", 13, "VirtualService payments/svcb", "spec.htp")
    assert problem.found == "is refused by the API server: unknown field"


def test_an_unknown_field_of_a_new_document(rules: list[Resource]) -> None:
    errors = (
        'Error from server (BadRequest): error when creating "STDIN": VirtualService in version '
        '"v1" cannot be handled as a VirtualService: strict decoding error: unknown field '
        '"spec.http[0].route[0].wieght", unknown field "spec.gateway"\n'
    )
    problems = parse_refusals(ACCEPTED, errors, rules)
    assert [(p.line, p.field) for p in problems] == [
        (19, "spec.http[0].route[0].wieght"), (13, "spec.gateway"),
    ]  # fmt: skip
    assert {p.resource for p in problems} == {"VirtualService payments/svcb"}


@pytest.mark.parametrize(
    "errors",
    [
        f'Error from server: error when creating "STDIN": {DENIED}\n',
        'Error from server: error when applying patch:\n{"spec":{}}\nto:\n'
        'Resource: "networking.istio.io/v1, Resource=virtualservices", '
        'GroupVersionKind: "networking.istio.io/v1, Kind=VirtualService"\n'
        'Name: "svcb", Namespace: "payments"\n'
        f'for: "STDIN": error when patching "STDIN": {DENIED}\n',
    ],
    ids=["created", "patched"],
)
def test_istio_s_webhook_names_a_field(rules: list[Resource], errors: str) -> None:
    (problem,) = parse_refusals(ACCEPTED, errors, rules)
    field = "spec.http[0].match[0].uri"
    assert place(problem) == ("rules.yaml", 17, "VirtualService payments/svcb", field)
    assert problem.found == f"is refused by the webhook validation.istio.io: {RE2}"


def test_several_errors_of_the_webhook_are_several_problems(rules: list[Resource]) -> None:
    errors = (
        'Error from server: error when creating "STDIN": admission webhook "validation.istio.io" '
        "denied the request: configuration is invalid: 2 errors occurred:\n"
        "\t* weight -1 < 0\n\t* total destination weight = 0\n\n"
    )
    problems = parse_refusals(ACCEPTED, errors, rules)
    assert [p.found.rpartition(": ")[2] for p in problems] == [
        "weight -1 < 0", "total destination weight = 0",
    ]  # fmt: skip
    assert {(p.line, p.field) for p in problems} == {(10, "")}, "the whole document"


def test_each_message_belongs_to_its_document(rules: list[Resource]) -> None:
    errors = (
        'The DestinationRule "svcb" is invalid: \n'
        '* spec.subsets[0].labels.version: Invalid value: "boolean": '
        'spec.subsets[0].labels.version in body must be of type string: "boolean"\n'
        "* <nil>: Invalid value: null: some validation rules were not checked because the object "
        "was invalid; correct the existing errors to complete validation\n"
        f'Error from server: error when creating "STDIN": {DENIED}\n'
    )
    problems = parse_refusals("", errors, rules)
    assert [place(p)[1:] for p in problems] == [
        (8, "DestinationRule payments/svcb", "spec.subsets[0].labels.version"),
        (17, "VirtualService payments/svcb", "spec.http[0].match[0].uri"),
    ]  # fmt: skip


def test_a_cluster_without_istio_is_a_problem_of_each_kind(rules: list[Resource]) -> None:
    command = "kubectl --kubeconfig kubeconfig apply --dry-run=server -f -"
    _code, output, errors = recorded(command, "no Istio")
    problems = parse_refusals(output, errors, rules)
    assert [(p.line, p.field) for p in problems] == [(2, "kind"), (11, "kind")]
    assert all("leave ISTIO_SKIP unset" in p.remedy for p in problems)


def test_a_namespace_that_does_not_exist(rules: list[Resource]) -> None:
    errors = (
        'Error from server (NotFound): error when creating "STDIN": namespaces "payments" not '
        "found\n"
    )
    (problem,) = parse_refusals(ACCEPTED, errors, rules)
    assert (problem.line, problem.field) == (12, "metadata.namespace")
    assert problem.found.endswith('namespaces "payments" not found')


def test_what_cannot_be_placed_still_names_the_documents(rules: list[Resource]) -> None:
    (problem,) = parse_refusals("", "Error from server (Forbidden): no\n", rules)
    assert problem.file == "the API server"
    assert problem.resource == "DestinationRule payments/svcb, VirtualService payments/svcb"
    assert problem.found == "is refused by the API server: no"


def test_a_warning_is_no_message(rules: list[Resource]) -> None:
    created = f'Error from server: error when creating "STDIN": {DENIED}'
    errors = f"Warning: something is deprecated\n{created}"
    (problem,) = parse_refusals(ACCEPTED, errors, rules)
    assert problem.line == 17


def test_a_rule_of_0_4_is_named_as_it_was_written() -> None:
    text = (
        "apiVersion: config.istio.io/v1alpha2\nkind: EgressRule\n"
        "metadata: {name: out, namespace: payments}\n"
        "spec:\n  destination: {service: msgd.test}\n  ports:\n    - {port: 80, protocol: http}\n"
    )
    lowered = lower(read_text(text, "old.yaml"), [])
    (entry,) = [r for r in lowered if r.kind == "ServiceEntry"]
    errors = (
        f'The ServiceEntry "{entry.name}" is invalid: spec.ports[0].number: Invalid value: 0: no\n'
    )
    problems = parse_refusals("", errors, [entry])
    assert [(p.file, p.resource) for p in problems] == [("old.yaml", "EgressRule payments/out")]
