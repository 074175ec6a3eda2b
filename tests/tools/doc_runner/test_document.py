"""Pages as they are read: commands, outputs, notes; and pages that are refused."""

from __future__ import annotations

import pytest

from tools.doc_runner.document import DocumentError, Prose, Skipped, Step, parse

PAGE = """\
# Title

Words.

```console
$ one
said
$ two <<'E'
> text
>
> E
```

## Then

```yaml
only: read
```

<!-- run: exit 2 -->
```console
$ three
$ four
refused
```

```sh
five
six
```

<!-- run: no, it takes an hour -->
```sh
seven
```

<!-- run: save as a b.yaml -->
"""


def page(text: str) -> tuple[object, ...]:
    return parse(text, "page.md").items


def test_a_page_in_its_order() -> None:
    assert page(PAGE.rpartition("<!--")[0]) == (
        Prose("# Title\n\nWords.", 1),
        Step("one", "said\n", 6, "Title"),
        Step("two <<'E'\ntext\n\nE", "", 8, "Title"),
        Prose("## Then\n\n```yaml\nonly: read\n```", 14),
        Step("three", "", 22, "Then"),
        Step("four", "refused\n", 23, "Then", code=2),
        Step("five\nsix", None, 28, "Then"),
        Skipped("seven\n", 33, "it takes an hour"),
    )


def test_a_saved_file_is_a_command_of_the_shell() -> None:
    (step,) = parse("<!-- run: save as my.yaml -->\n```yaml\na: '$x'\n```\n", "p").steps
    assert step.command == "cat > my.yaml <<'END_OF_FILE'\na: '$x'\nEND_OF_FILE"


def test_a_step_for_one_kind_of_mesh() -> None:
    (step,) = parse("<!-- run: on kind -->\n```console\n$ kubectl get pods\n```\n", "p").steps
    assert step.on == "kind"


def test_a_step_that_shows_pods() -> None:
    (step,) = parse("<!-- run: as in pods -->\n```console\n$ one\n```\n", "p").steps
    assert step.pods


def test_the_steps_under_a_heading() -> None:
    document = parse(PAGE.rpartition("<!--")[0], "page.md")
    assert [s.command for s in document.under("Then").steps] == ["three", "four", "five\nsix"]
    with pytest.raises(DocumentError, match=r"page\.md: no steps under a heading 'Gone'"):
        document.under("Gone")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```console\nsaid\n$ one\n```\n", "p:2: output before any command: said"),
        ("\n```console\n```\n", "p:2: a block without a command"),
        ("```\n$ one\n```\n", "p:1: commands in a block ''; wanted ```console"),
        ("<!-- run: sometimes -->\n```sh\none\n```\n", "p:1: run: sometimes; wanted 'no, WHY'"),
        ("<!-- run: exit 2 -->\n\nwords\n", "p:1: no block follows: exit 2"),
        ("words\n\n<!-- run: exit 2 -->\n", "p:3: no block follows: exit 2"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse(text, "p")
    assert str(refused.value).startswith(message)
