"""Labels of Istio's metrics, packed into one tag of Envoy's."""

from __future__ import annotations

import pytest

from meshproof.telemetry import packed_labels
from meshproof.telemetry.packed_labels import join_values, pack, remove_label, unpack

WORKLOAD = "to_workload,to_app,to_version"


def _page(labels: str, more: str = "") -> str:
    """Envoy's page with one counter; it escapes quotes and backslashes."""
    text = labels.replace("\\", "\\\\").replace('"', '\\"')
    return (
        "# TYPE envoy_istio_requests_total counter\n"
        f'envoy_istio_requests_total{{{packed_labels.TAG}="{text}"{more}}} 3\n'
    )


def _labels(packed: str, more: str = "") -> str:
    comment, sample = unpack(_page(packed, more)).splitlines()
    assert comment == "# TYPE istio_requests_total counter"
    name, _, rest = sample.partition("{")
    assert (name, rest[-3:]) == ("istio_requests_total", "} 3")
    return rest[:-3]


def test_labels_come_back_as_istio_has_them() -> None:
    packed = pack({"reporter": "source", WORKLOAD: join_values("svcb-v1", "svcb", "v0.1")})
    assert _labels(packed) == (
        'reporter="source",to_workload="svcb-v1",to_app="svcb",to_version="v0.1"'
    )


def test_what_else_a_sample_has_stays() -> None:
    assert _labels(pack({"a": "1"}), ',le="0.5"') == 'a="1",le="0.5"'


@pytest.mark.parametrize("value", ["", "-", "a=b", "a,b;c", 'say "hi"', "back\\slash", "{}"])
def test_a_value_of_one_label_may_be_anything(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    assert _labels(pack({"a": value, "b": "2"})) == f'a="{escaped}",b="2"'


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", ("", "", "")),  # nobody answered
        ("svcb-v1", ("svcb-v1", "", "")),
        ("a;b;c;d", ("a", "b", "c;d")),  # a header that a client made up
    ],
)
def test_a_text_of_several_labels_that_is_not_whole(text: str, values: tuple[str, ...]) -> None:
    names = WORKLOAD.split(",")
    expected = ",".join(f'{n}="{v}"' for n, v in zip(names, values, strict=True))
    assert _labels(pack({WORKLOAD: text})) == expected


def test_a_label_is_removed_from_its_item() -> None:
    formats = remove_label({"a": "1", WORKLOAD: "w;x;y"}, "to_app")
    assert _labels(pack(formats)) == 'a="1",to_workload="w",to_version="y"'
    assert remove_label({"a": "1", "b": "2"}, "a") == {"b": "2"}
    for name in WORKLOAD.split(","):
        formats = remove_label(formats, name)
    assert formats == {"a": "1"}


def test_envoy_s_own_statistics_stay_as_they_are() -> None:
    page = (
        '# TYPE envoy_cluster_x counter\nenvoy_cluster_x{labels="a=1"} 5\nenvoy_server_live{} 1\n'
    )
    assert unpack(page) == page
