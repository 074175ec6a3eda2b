"""YAML text -> documents with lines; YAML that is not sound is explained."""

from __future__ import annotations

import pytest

from meshproof.sources.documents import Document, read_documents


def one(text: str) -> Document:
    documents, problems = read_documents(text, "f.yaml")
    assert problems == []
    assert len(documents) == 1
    return documents[0]


def errors_of(text: str) -> list[str]:
    return [str(p) for p in read_documents(text, "f.yaml")[1]]


def test_every_field_has_its_line() -> None:
    document = one("# comment\nkind: A\nspec:\n  http:\n  - name: x\n    route:\n    - weight: 5\n")
    assert document.location.line == 2
    assert document.lines[("spec",)] == 3
    assert document.lines[("spec", "http", 0)] == 5
    assert document.lines[("spec", "http", 0, "route", 0, "weight")] == 7


def test_lines_count_from_the_top_of_the_file() -> None:
    documents, problems = read_documents("a: 1\n---\n---\n# nothing\n---\nb: 2\nc: 3\n", "f")
    assert problems == []
    assert [d.value for d in documents] == [{"a": 1}, {"b": 2, "c": 3}]
    assert documents[1].location.line == 6
    assert documents[1].lines[("c",)] == 7


def test_quoted_and_tagged_texts_stay_texts() -> None:
    assert one("a: 'yes'\nb: \"5\"\nc: !!str no\nd: |\n  5\n").value == {
        "a": "yes",
        "b": "5",
        "c": "no",
        "d": "5\n",
    }


def test_what_was_written_is_kept_where_it_is_no_text() -> None:
    document = one("a: yes\nb: 1.0\nc: text\n")
    assert document.texts == {("a",): "yes", ("b",): "1.0"}


def test_keys_become_texts_as_kubectl_makes_them() -> None:
    assert one("80: a\n1.50: b\ntrue: c\n").value == {"80": "a", "1.5": "b", "true": "c"}


def test_a_key_that_yaml_reads_as_a_boolean_is_refused() -> None:
    assert errors_of("kind: A\nspec:\n  on: x\n") == [
        'f.yaml:3: A: spec: the key on is one that YAML reads as a boolean; quote it: "on"'
    ]


def test_anchors_and_merge_keys() -> None:
    document = one("base: &b {x: 1, z: 2}\nown:\n  <<: *b\n  x: 3\nsame: *b\n")
    assert document.value["own"] == {"x": 3, "z": 2}
    assert document.value["same"] == {"x": 1, "z": 2}
    assert document.lines[("own", "x")] == 4
    assert document.lines[("own", "z")] == 1


def test_a_list_is_its_items() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: B\n  spec: {x: 1}\n"
    documents, problems = read_documents(text, "f.yaml")
    assert problems == []
    assert [d.value["kind"] for d in documents] == ["A", "B"]
    assert documents[1].lines[("spec", "x")] == 6


def test_a_key_that_stands_twice_is_named_with_both_lines() -> None:
    text = "kind: A\nmetadata: {name: x}\nspec:\n  host: a\n  port: 1\n  host: b\n"
    assert errors_of(text) == [
        "f.yaml:6: A x: spec.host: is defined twice, in line 4 and line 6; keep one"
    ]


def test_two_documents_without_a_line_between_are_told_so() -> None:
    one = "apiVersion: v1\nkind: A\nmetadata: {name: x}\n"
    errors = errors_of(one + one)
    assert errors[0].endswith(
        "apiVersion: is defined twice, in line 1 and line 4; keep one; or a document begins "
        "there, and a line --- is missing above"
    )
    assert errors[2].endswith("metadata: is defined twice, in line 3 and line 6; keep one")


def test_a_template_is_told_to_be_rendered() -> None:
    assert errors_of("apiVersion: {{ .Values.a }}\nkind: A\n")[0].endswith(
        "a key is not a string; quote it; or this is a template ({{ ... }}), to be rendered first, "
        "as by helm template"
    )


def test_bombs_of_aliases_are_refused_before_they_expand() -> None:
    text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    assert errors_of(text) == [
        "f.yaml:1: the aliases of this document expand to more than meshproof reads; "
        "write the values out"
    ]


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "{b: " * 50_000, "- " * 50_000])
def test_deep_nesting_is_refused_before_the_parser_recurses(text: str) -> None:
    assert errors_of(text) == ["f.yaml:1: is nested more than 200 levels deep"]


def test_what_is_not_unicode() -> None:
    assert errors_of("a: 1\nb: \ud800\n") == ["f.yaml:2: holds a character that is not Unicode"]


def test_an_alias_of_itself() -> None:
    assert errors_of("kind: A\nx: &a [*a]\n") == [
        "f.yaml:2: A: x[0]: an alias contains itself; write the value out"
    ]


def test_tags_of_python_are_refused() -> None:
    assert errors_of("kind: A\nx: !!python/name:os.system y\n") == [
        "f.yaml:2: A: x: has the YAML tag !!python/name:os.system, which kubectl does not know; "
        "remove it"
    ]


def test_a_document_that_is_no_mapping() -> None:
    assert errors_of("- a\n") == [
        "f.yaml:1: the document is not a mapping; wanted a mapping with apiVersion, kind and "
        "metadata"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a:\n\tb: c\n",
            "f.yaml:2: broken YAML: a tab stands where YAML allows only spaces (found character "
            "that cannot start any token); indent with spaces",
        ),
        (
            "a:\n  b: 1\n c: 2\n",
            "f.yaml:3: broken YAML: the indentation fits no mapping that is open here, opened in "
            "line 1 (did not find expected key); give all keys of one mapping the same indentation",
        ),
        (
            "a: b: c\n",
            "f.yaml:1: broken YAML: a key stands where none can (mapping values are not allowed "
            'in this context); check the indentation, put a space after each ":", and quote a '
            'string that contains ": "',
        ),
        (
            "a: 'x\nb: c\n",
            "f.yaml:3: broken YAML: a quotation mark is not closed, opened in line 1 "
            "(found unexpected end of stream); close it",
        ),
        (
            "a: @x\n",
            "f.yaml:1: broken YAML: a character that cannot begin a string (found character that "
            "cannot start any token); quote the string",
        ),
        (
            "a: 1\nb: \x01\n",
            "f.yaml:2: broken YAML: a control character (control characters are not allowed); "
            "remove it",
        ),
        (
            "a: *x\n",
            "f.yaml:1: broken YAML: an alias names an anchor that was not set before "
            "(found undefined alias); quote a string that begins with *",
        ),
        *(
            (
                text,
                "f.yaml:2: broken YAML: a value that begins with * is an alias to YAML (did not "
                'find expected alphabetic or numeric character); quote it, such as "*.shop.test"',
            )
            for text in ("hosts:\n- *.a.test\n", "x: 1\nhosts: [b, *.a.test]\n", "x: 1\ny: *\n")
        ),
    ],
)
def test_broken_yaml_is_one_problem_in_plain_words(text: str, message: str) -> None:
    assert errors_of(text) == [message]


def test_documents_before_the_broken_one_are_still_read() -> None:
    documents, problems = read_documents("a: 1\n---\nb: [\n", "f.yaml")
    assert [d.value for d in documents] == [{"a": 1}]
    assert [p.line for p in problems] == [4]
