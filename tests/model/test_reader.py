"""Documents that are decoded, and what is refused of a whole input."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import Refused
from meshproof.model import v1alpha2, virtual_service
from meshproof.model.kube_service import ServiceSpec
from meshproof.model.reader import read_resources, read_text, with_default_namespace
from tests.model.conftest import Refusal
from tests.model.rules import ROUTE_RULE, VIRTUAL_SERVICE

DATA = Path(__file__).parent / "data"
EGRESS = """\
apiVersion: config.istio.io/v1alpha2
kind: EgressRule
metadata:
  name: enable-svcb-engress-rule
spec:
  destination:
    service: 10.100.35.27
  ports:
  - port: 9997
    protocol: http
"""
HALF = """\
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata:
  name: route-rules-svcb
spec:
  destination:
    name: svcb
  precedence: 1
  route:
  - labels:
      version: v0.1
    weight: 50
  - labels:
      version: v0.2
    weight: 50
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: svca}
spec: {ports: [{port: 80}]}
"""


def test_the_tutorials_egress_rule() -> None:
    (resource,) = read_text(EGRESS, "f.yaml")
    assert resource.title == "EgressRule enable-svcb-engress-rule"
    assert resource.spec == v1alpha2.EgressRule.model_validate(
        {"destination": {"service": "10.100.35.27"}, "ports": [{"port": 9997, "protocol": "http"}]}
    )


def test_the_tutorials_route_rule() -> None:
    (resource,) = read_text(HALF, "f.yaml")
    assert [(r.labels, r.weight) for r in resource.spec.route] == [
        ({"version": "v0.1"}, 50),
        ({"version": "v0.2"}, 50),
    ]
    assert resource.location.line_of(("spec", "route", 1, "weight")) == 15


def test_both_spellings_of_istio_0_4_are_one_rule() -> None:
    text = HALF + (
        "  http_req_retries: {simple_retry: {attempts: 3, per_try_timeout: 2s}}\n"
        "  append_headers: {x_trace: a}\n"
    )
    (snake,) = read_text(text, "f.yaml")
    camel_text = text.replace("http_req_retries", "httpReqRetries").replace(
        "simple_retry", "simpleRetry"
    )
    (camel,) = read_text(
        camel_text.replace("per_try_timeout", "perTryTimeout").replace("append_h", "appendH"), "f"
    )
    assert snake == camel
    assert snake.spec.append_headers == {"x_trace": "a"}
    path = ("spec", "httpReqRetries", "simpleRetry", "attempts")
    assert snake.location.line_of(path) == 16


@pytest.mark.parametrize(
    "path", sorted((DATA / "conformance").glob("*.yaml")), ids=lambda p: p.stem
)
def test_what_a_real_istio_accepted_is_read(path: Path) -> None:
    resources = read_resources([path])
    assert len(resources) == path.read_text().count("\nkind:")
    assert all(r.location.file == str(path) for r in resources)


def test_every_recorded_kind_is_there() -> None:
    assert len(list((DATA / "conformance").glob("*.yaml"))) == 35


def test_null_is_not_set() -> None:
    text = SERVICE.replace("{port: 80}", "{port: 80, protocol: null}")
    (resource,) = read_text(text.replace("]}", "], selector: null}"), "f")
    assert resource.spec == ServiceSpec.model_validate({"ports": [{"port": 80}]})


def test_what_kubectl_get_adds_is_ignored() -> None:
    text = (
        "apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ''}\nitems:\n"
        "- apiVersion: networking.istio.io/v1beta1\n  kind: VirtualService\n"
        "  metadata:\n    name: a\n    uid: x\n    generation: 1\n    creationTimestamp: null\n"
        "    managedFields: [{manager: kubectl}]\n"
        "  spec: {hosts: [a], http: [{route: [{destination: {host: a}}]}]}\n"
        "  status: {observed: 1}\n"
    )
    (resource,) = read_text(text, "f")
    assert isinstance(resource.spec, virtual_service.VirtualService)
    assert resource.location.line_of(("spec", "hosts")) == 13


def test_the_calls_namespace_fills_in_a_missing_one() -> None:
    named = SERVICE.replace("{name: svca}", "{name: svcb, namespace: pay}")
    text = f"{SERVICE}---\n{named}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: pay}}\n"
    assert [r.namespace for r in read_text(text, "f", namespace="pay")] == ["pay", "pay", ""]
    undecided = read_text(text, "f")
    assert [r.namespace for r in undecided] == ["", "pay", ""]
    filled = with_default_namespace(undecided, "default")
    assert [r.namespace for r in filled] == ["default", "pay", ""]


def test_a_default_namespace_that_makes_two_the_same_is_refused() -> None:
    other = SERVICE.replace("{name: svca}", "{name: svca, namespace: pay}").replace("80", "81")
    resources = read_text(f"{SERVICE}---\n{other}", "f")
    with pytest.raises(Refused, match="Service pay/svca: is defined twice, the first time at f:1"):
        with_default_namespace(resources, "pay")


def test_a_folder_is_its_yaml_files_sorted_and_not_deeper(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.txt", "deeper/d.yaml"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(SERVICE.replace("svca", f"s-{file.stem}"))
    names = [r.name for r in read_resources([tmp_path, "-"], stdin=SERVICE)]
    assert names == ["s-a", "s-b", "svca"]


def test_every_path_that_cannot_be_read_is_reported_at_once(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"kind: \xe9\n")
    blank = tmp_path / "blank.yaml"
    blank.write_text("")
    with pytest.raises(Refused) as caught:
        read_resources([tmp_path / "none.yaml", empty, latin, blank, "-"])
    assert [str(p) for p in caught.value.problems] == [
        f"{tmp_path}/none.yaml: there is no such file or folder",
        f"{empty}: the folder holds no *.yaml or *.yml",
        f"{latin}: is not UTF-8 (byte 6)",
        f"{blank}: holds no document",
        "<stdin>: standard input was not given",
    ]


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SERVICE.encode())
    assert [r.name for r in read_resources([file])] == ["svca"]


def test_a_document_given_twice_unchanged_is_read_once() -> None:
    (first,) = read_text(f"{SERVICE}---\n{SERVICE}", "f")
    assert first.location.line == 1
    placed = SERVICE.replace("{name: svca}", "{name: svca, namespace: pay}")
    assert len(with_default_namespace(read_text(f"{SERVICE}---\n{placed}", "f"), "pay")) == 1


def test_all_problems_of_all_documents_come_at_once_with_their_lines(refusal: Refusal) -> None:
    vs = VIRTUAL_SERVICE.replace("[svcb]", "svcb") + "      wieght: 5\n"
    lines = refusal(f"{vs}---\n{ROUTE_RULE}  route: [{{weight: 1}}]\n---\nkind: Job\n---\na: [\n")
    assert [line.split(":")[1] for line in lines] == ["5", "9", "16", "18", "21"]


def test_a_duplicate_key_does_not_hide_other_problems(refusal: Refusal) -> None:
    lines = refusal(VIRTUAL_SERVICE + "      weight: 5\n      weight: a\n")
    assert lines == [
        "f.yaml:10: VirtualService pay/svcb: spec.http[0].route[0].weight: is defined twice, "
        "in line 9 and line 10; keep one",
        'f.yaml:10: VirtualService pay/svcb: spec.http[0].route[0].weight: is the string "a"; '
        "wanted a whole number",
    ]


def test_a_resource_given_twice_names_the_first_position(refusal: Refusal) -> None:
    assert refusal(f"{VIRTUAL_SERVICE}---\n{VIRTUAL_SERVICE.replace('v1}', 'v2}')}") == [
        "f.yaml:10: VirtualService pay/svcb: is defined twice, the first time at f.yaml:1; keep one"
    ]


def test_a_field_beside_spec(refusal: Refusal) -> None:
    assert refusal(VIRTUAL_SERVICE + "http: []\nextra: 1\n") == [
        "f.yaml:9: VirtualService pay/svcb: http: is not a field of VirtualService; wanted "
        "apiVersion, kind, metadata, spec; http belongs under spec: check the indentation",
        "f.yaml:10: VirtualService pay/svcb: extra: is not a field of VirtualService; wanted "
        "apiVersion, kind, metadata, spec",
    ]


def test_no_document_at_all(refusal: Refusal) -> None:
    assert refusal("# only a comment\n---\n") == ["f.yaml: holds no document"]


_HEAD = "apiVersion: networking.istio.io/v1\nkind: {}\nmetadata: {{name: x}}\nspec: {}\n"
_TO = "route: [{destination: {host: cart}}]"


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("VirtualService", f"{{hosts: [cart], http: [{{mirror_percent: 5, {_TO}}}]}}"),
        ("VirtualService", f"{{hosts: [cart], http: [{{fault: {{delay: {{}}}}, {_TO}}}]}}"),
        ("VirtualService", f"{{hosts: [cart], http: [{{fault: {{abort: {{}}}}, {_TO}}}]}}"),
        ("VirtualService", f"{{hosts: ['*-api.a.test'], gateways: [w], http: [{{{_TO}}}]}}"),
        ("VirtualService", "{hosts: [cart], http: [{match: [{withoutHeaders: "
         f"{{a: {{regex: '*'}}}}}}], {_TO}}}]}}"),
        ("DestinationRule", "{host: a, trafficPolicy: {outlierDetection: {consecutiveErrors: 5}}}"),
        ("ServiceEntry", "{hosts: [a.test], resolution: DNS}"),
        ("ServiceEntry", "{hosts: [a.test], resolution: STATIC}"),
        ("ServiceEntry", "{hosts: [a.test], workloadSelector: {labels: {app: a}}}"),
    ],
)  # fmt: skip
def test_what_istio_takes_is_taken(kind: str, spec: str) -> None:
    (resource,) = read_text(_HEAD.format(kind, spec), "f.yaml")
    assert resource.spec is not None


def test_the_two_spellings_of_a_mirror_s_share() -> None:
    spec = f"{{hosts: [cart], http: [{{mirror_percent: 5, {_TO}}}]}}"
    (rule,) = read_text(_HEAD.format("VirtualService", spec), "f.yaml")
    assert rule.spec.http[0].mirror_percent == 5
