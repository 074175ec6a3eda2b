"""Case files: tables, parameters, combinations, and everything that is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.cases.discovery import find_case_files, find_rules
from meshproof.cases.model import parse_seconds
from meshproof.cases.run import run_static
from meshproof.errors import Refused
from tests.cases.mesh_files import TO_V1, case, planner, read, rule


def requests(text: str, **parameters: object) -> list[str]:
    cases, problems = read(text, **parameters)
    assert problems == []
    return [str(c.request) for c in cases]


def problems(text: str) -> list[str]:
    cases, errors = read(text)
    assert cases == [] or errors == []
    return [str(p) for p in errors]


def refusals(text: str, rules: str = "") -> list[str]:
    """Of cases that are read, but cannot be judged."""
    cases, errors = read(text)
    assert errors == []
    with pytest.raises(Refused) as refused:
        run_static(cases, planner(rules))
    return [str(p) for p in refused.value.problems]


def test_lists_are_every_combination() -> None:
    text = case(
        "{allowed: true}", "{from: [a, b], url: ['http://x/', 'http://y/'], method: [GET, PUT]}"
    )
    assert len(requests(text)) == 8


def test_a_table_is_a_case_a_row_with_its_types() -> None:
    text = """
    parameters: {host: echo}
    cases:
      - name: "${who}"
        request: {from: "${who}", url: "http://${host}/${path}"}
        expect: {status: "${status}"}
        table:
          - {who: client, path: a, status: 404}
          - {who: other, path: b, status: 503}
    """
    cases, errors = read(text)
    assert errors == []
    assert [c.expect.status for c in cases] == [404, 503]  # type: ignore[union-attr]
    assert [c.row for c in cases] == [1, 2]
    assert [str(c.request) for c in cases] == [
        "GET http://echo/a from client",
        "GET http://echo/b from other",
    ]
    assert requests(text, host="svc")[0] == "GET http://svc/a from client"


def test_defaults_fill_in_what_a_case_leaves_out() -> None:
    text = """
    defaults: {request: {from: client, url: "http://echo/", headers: {a: b}, method: PUT}}
    cases:
      - {name: one, expect: {allowed: true}}
      - {name: two, request: {method: GET}, expect: {allowed: true}}
    """
    assert requests(text) == ["PUT http://echo/ from client", "GET http://echo/ from client"]


BAD = [
    ("cases: []", "echo_test.yaml:1: cases: is an empty list; wanted at least one entry"),
    ("cases: [{name: x, expect: {}, request: {from: a, url: 'http://b'}}]", "expects nothing"),
    ("cases: [{name: x, expect: {worklod: a}}]",
     "worklod: is not a field of Expect; did you mean workload?"),
    ("cases: [{name: x, request: {from: a, url: b}, expect: {allowed: true}}]", '"b" is not a URL'),
    ("cases: [{name: x, request: {url: 'http://b'}, expect: {allowed: true}}]",
     "request.from: is missing"),
    ("cases: [{name: x, request: {from: a, url: 'http://b'}, expect: {status: '403'}}]",
     'expect.status: is the string "403"; wanted a whole number'),
    ("cases: [{name: x, request: {from: a, url: 'http://b'}, expect: {timeout: 3}}]",
     "expect.timeout: is the number 3; wanted a string"),
    ("cases: [{name: x, request: {from: a, url: 'http://b'}, expect: {timeout: soon}}]",
     'is "soon"; wanted a duration'),
    ("cases: [{name: x, request: {from: a, url: 'http://${h}'}, expect: {allowed: true}}]",
     "cases[0].request.url: uses ${h}, which nothing fills in"),
    ("cases: [{name: x, request: {from: a, url: 'http://${h}/${p}'}, expect: {allowed: true},"
     " table: [{h: b, p: c}, {h: b}]}]",
     "cases[0].table[1]: has no column p; wanted h, p; add p to this row"),
    ("cases: [{name: x, request: {from: a, url: 'http://${h}'}, expect: {allowed: true},"
     " table: [{h: b, z: c}]}]", "cases[0].table: has a column z, which no ${z} of this case uses"),
    ("cases: [{name: x, request: {from: a, url: 'http://b'}, expect: {allowed: true}, table: {}}]",
     "cases[0].table: is no table"),
    ("cases: [3]", "cases[0]: is no case"),
    ("rules: [not-there.yaml]\ncases: [{name: x, expect: {allowed: true}}]",
     "rules[0]: there is no file not-there.yaml"),
    ("", "echo_test.yaml: holds no case"),
    ("testCases: [{request: {authority: [a], method: [], uri: [/]}, route: []}]",
     "testCases[0].request.method: is an empty list; wanted at least one entry"),
    ("testCases: [{request: {authority: [a], method: [GET], uri: [/]}}]", "expects nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_refused_says_where_and_what(text: str, message: str) -> None:
    assert any(message in p and p.startswith("echo_test.yaml") for p in problems(text)), problems(
        text
    )


IMPOSSIBLE = [
    ("{workload: echo, status: 503}", "expect.status: is impossible beside workload"),
    (
        "{allowed: true, refusedBy: AuthorizationPolicy}",
        "expect.refusedBy: is impossible beside allowed",
    ),
    ("{workload: echo, allowed: false}", "expect.allowed: is impossible beside workload"),
    ("{redirect: 'http://a/', path: /a}", "expect.redirect: is impossible beside path"),
    ("{redirect: 'http://a/', status: 403}", "expect.status: is impossible beside redirect"),
    ("{workload: a, outside: b}", "expect.outside: is impossible beside workload"),
    ("{version: v1}", "expect.version: is of no workload; wanted workload as well"),
    (
        "{workload: a, split: {v1: 90, v2: 20}}",
        "expect.split: has shares of 110 percent; wanted 100",
    ),
    ("{workload: a, version: v1, split: {v1: 100}}", "expect.split: is impossible beside version"),
    ("{workload: a, tolerance: 3}", "expect.tolerance: is for a split, and there is none"),
    ("{split: {a: 120, b: -20}}", "expect.split.a: is the number 120; wanted at most 100"),
]


@pytest.mark.parametrize(("expect", "message"), IMPOSSIBLE)
def test_an_impossible_expectation_is_refused(expect: str, message: str) -> None:
    assert any(message in p for p in problems(case(expect))), problems(case(expect))


UNKNOWN = [
    ("{workload: nobody}", "expect.workload: no workload nobody; there is shop/client"),
    (
        "{workload: echo, version: v9}",
        "expect.version: no replica of echo has version v9; there is v1, v2",
    ),
    ("{outside: bank.test}", "expect.outside: no host outside is called bank.test; there is none"),
    ("{mirror: echo v9}", "expect.mirror: no replica of echo has version v9"),
    ("{notReached: [nobody]}", "expect.notReached: no workload nobody"),
    (
        "{workload: echo, split: {v1: 50, v9: 50}}",
        "expect.split.v9: no replica of echo has version v9",
    ),
]


@pytest.mark.parametrize(("expect", "message"), UNKNOWN)
def test_a_name_that_nothing_has_is_refused(expect: str, message: str) -> None:
    assert any(f"echo_test.yaml:1: cases[0].{message}" in r for r in refusals(case(expect)))


def test_an_unknown_sender_is_refused() -> None:
    (text,) = refusals(case("{allowed: true}", "{from: nobody, url: 'http://echo/'}"))
    assert "cases[0].request.from: no workload nobody; there is shop/client" in text


def test_a_rule_that_is_refused_leaves_nothing_judged() -> None:
    (text,) = refusals(
        case("{allowed: true}"), rule("{route: [{destination: {host: echo}, weight: x}]}")
    )
    assert text.startswith("rules.yaml:16: VirtualService shop/echo: spec.http[0].route[0].weight")


CONTRADICTIONS = [
    (
        "{workload: echo, version: v1}",
        "{workload: echo, version: v2}",
        "version is v2 here and v1 there",
    ),
    (
        "{workload: echo}",
        "{status: 403}",
        "one is answered by an app, the other by the mesh itself",
    ),
    ("{allowed: true}", "{redirect: 'http://a/'}", "one is answered by an app"),
    ("{headers: {a: b}}", "{headers: {a: c}}", "header a is c here and b there"),
    ("{timeout: 1s}", "{timeout: 2s}", "timeout is 2s here and 1s there"),
]


@pytest.mark.parametrize(("one", "other", "message"), CONTRADICTIONS)
def test_two_cases_that_contradict_each_other_are_refused(
    one: str, other: str, message: str
) -> None:
    text = "cases:\n" + "".join(
        f"- {{name: {n}, request: {{from: client, url: 'http://echo/'}}, expect: {e}}}\n"
        for n, e in (("first", one), ("second", other))
    )
    (problem,) = refusals(text, rule(TO_V1))
    assert problem.startswith(
        "echo_test.yaml:3: cases[1].expect: contradicts the case at echo_test.yaml:2"
    )
    assert message in problem


def test_two_cases_that_complete_each_other_are_not() -> None:
    text = """
    defaults: {request: {from: client, url: "http://echo/"}}
    cases:
      - {name: a, expect: {workload: echo}}
      - {name: b, expect: {timeout: none, headers: {a: null}}}
      - {name: c, expect: {headers: {b: null}}}
    """
    cases, _ = read(text)
    assert all(not r.lines for r in run_static(cases, planner(rule(TO_V1))).results)


def test_the_rules_of_a_file_are_those_of_its_stem(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml", "a_test.yaml", "tests/b_test.yml", "tests/c.test.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("cases: []" if "test" in name else "kind: Service")
    assert find_rules(tmp_path / "a_test.yaml") == (tmp_path / "a.yaml",)
    assert find_rules(tmp_path / "tests/b_test.yml") == (tmp_path / "b.yml",)
    assert find_rules(tmp_path / "tests/c.test.yaml") == ()
    names = [f.name for f in find_case_files([], tmp_path)]
    assert names == ["a_test.yaml", "b_test.yml", "c.test.yaml"]


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: Service")
    with pytest.raises(Refused, match="holds no file with cases: or testCases:"):
        find_case_files([tmp_path], tmp_path)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("100ms", 0.1), ("1m30s", 90), ("1.5s", 1.5), ("none", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1", "s", "1s 2s", "-1s", "1d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="wanted a duration"):
        parse_seconds(text)
