"""What the API server and Istio's webhook refuse, as problems at the fields that they name. Pure.

kubectl prints one message for each document that is refused and one line on standard output for
each that is not, in the order of the documents. The forms read here are those of kubectl 1.34 and
Istio 1.29 (tests/fakes/recordings.jsonl); any other message stands at its whole document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from meshproof.cluster.remedies import remedy
from meshproof.errors import Problem
from meshproof.model.resource import Resource
from meshproof.sources.location import FieldPath, parse_dotted

_START = re.compile(
    r"^(?=Error from server|The \w+ \"[^\"]+\" is invalid|The request is invalid"
    r"|resource mapping not found|error: )",
    re.MULTILINE,
)
"""Where kubectl's next message begins."""
_ACCEPTED = re.compile(r"^([a-z]+)(?:\.[\w.-]+)?/(\S+) ", re.MULTILINE)
"""``virtualservice.networking.istio.io/svcb unchanged (server dry run)``."""
_IDENTITIES = (
    re.compile(r"The (?P<kind>\w+) \"(?P<name>[^\"]+)\" is invalid"),
    re.compile(r"Kind=(?P<kind>\w+)\"\s+Name: \"(?P<name>[^\"]+)\"", re.MULTILINE),
    re.compile(r"mapping not found for name: \"(?P<name>[^\"]+)\".*for kind \"(?P<kind>\w+)\""),
)
"""Messages that name their document; the others are matched by their order."""
_WEBHOOK = re.compile(r"admission webhook \"([^\"]+)\" denied the request: (.*)", re.DOTALL)
_STRICT = re.compile(r"(unknown|duplicate) field \"([^\"]+)\"")
_CAUSE = re.compile(r"([\w.\-/\[\]]+): (.*)")
_SUMMARY = "some validation rules were not checked"
"""The API server's last cause where there are others."""
_NO_NAMESPACE = re.compile(r"namespaces \"[^\"]+\" not found")
_PREFIX = re.compile(
    r"\A(Error from server(?: \(\w+\))?: |error: |error when \w+ \"[^\"]*\": )+", re.MULTILINE
)


def parse_refusals(output: str, errors: str, resources: Sequence[Resource]) -> list[Problem]:
    """The problems of ``kubectl apply --dry-run=server``, which was given the documents of
    ``resources`` in that order; ``output`` and ``errors`` are its standard streams."""
    messages = _messages(errors)
    refused = _refused(output, resources)
    owners = _owners(messages, refused, resources)
    return [
        problem
        for message, owner in zip(messages, owners, strict=True)
        for problem in _problems(message, owner, refused)
    ]


def _messages(errors: str) -> list[str]:
    lines = [line for line in errors.splitlines() if not line.startswith("Warning: ")]
    text = "\n".join(lines).strip()
    return [part.strip() for part in _START.split(text) if _START.match(part)] or [text]


def _owners(
    messages: Sequence[str], refused: Sequence[Resource], resources: Sequence[Resource]
) -> list[Resource | None]:
    """The document of each message: by the kind and name in it, the others by their order."""
    owners = [_named(message, resources) for message in messages]
    titles = {owner.title for owner in owners if owner is not None}
    others = [r for r in refused if r.title not in titles]
    if owners.count(None) != len(others):
        return owners
    remaining = iter(others)
    return [owner or next(remaining) for owner in owners]


def _refused(output: str, resources: Sequence[Resource]) -> list[Resource]:
    """Those that no line of standard output accepts."""
    accepted = Counter(_ACCEPTED.findall(output))
    refused = []
    for resource in resources:
        identity = (resource.kind.lower(), resource.name)
        if accepted[identity]:
            accepted[identity] -= 1
        else:
            refused.append(resource)
    return refused


def _named(message: str, resources: Sequence[Resource]) -> Resource | None:
    """The only document that a message can mean by the kind and name in it."""
    for pattern in _IDENTITIES:
        if match := pattern.search(message):
            same = [r for r in resources if (r.kind, r.name) == (match["kind"], match["name"])]
            return same[0] if len(same) == 1 else None
    return None


def _problems(
    message: str, resource: Resource | None, refused: Sequence[Resource]
) -> Iterator[Problem]:
    author, causes = _causes(message)
    for path, text in causes:
        description = f"is refused by {author}: {text}"
        if resource is None:
            titles = ", ".join(r.title for r in refused)
            yield Problem("the API server", 0, titles, "", description, "", remedy(message))
            continue
        field = parse_dotted(path) if path else _mentioned_field(text, resource)
        yield resource.problem(field, description, "", remedy(message))


def _causes(message: str) -> tuple[str, list[tuple[str, str]]]:
    """Who refuses, and each reason with the dotted path that it names; an empty path for none."""
    if match := _WEBHOOK.search(message):
        return f"the webhook {match[1]}", [_cause(text) for text in _webhook_errors(match[2])]
    if fields := _STRICT.findall(message):
        return "the API server", [(path, f"{kind} field") for kind, path in fields]
    if " is invalid: " in message:
        lines = message.partition(" is invalid: ")[2].strip().splitlines()
        causes = [_cause(line.removeprefix("* ")) for line in lines]
        return "the API server", [c for c in causes if _SUMMARY not in c[1]] or causes
    text = " ".join(_PREFIX.sub("", message).split())
    if _NO_NAMESPACE.search(text):
        return "the API server", [("metadata.namespace", text)]
    if "no matches for kind" in text:
        return "the API server", [("kind", text)]
    return "the API server", [("", text)]


def _cause(text: str) -> tuple[str, str]:
    """``spec.http[0].route: Required value`` in its two parts."""
    match = _CAUSE.fullmatch(text)
    if match and match[1].partition(".")[0].partition("[")[0] in ("spec", "metadata"):
        path, reason = match.groups()
        return path, reason.replace(f"{path} in body ", "")
    return "", text.removeprefix("<nil>: ")


def _webhook_errors(text: str) -> list[str]:
    """Several errors stand in a list (Go's multierror); one stands by itself."""
    text = text.strip().removeprefix("configuration is invalid: ")
    head, _, rest = text.partition("\n")
    if re.fullmatch(r"\d+ errors? occurred:", head):
        return [" ".join(item.split()) for item in re.split(r"^\s*\* ", rest, flags=re.M)[1:]]
    return [" ".join(text.split())]


def _mentioned_field(text: str, resource: Resource) -> FieldPath:
    """The one field of the document whose name stands in quotation marks in the text; the whole
    document for none or several."""
    for name in re.findall(r"[\"'](\w+)[\"']", text):
        paths = [path for path in resource.location.lines if path and path[-1] == name]
        if len(paths) == 1:
            return paths[0]
    return ()
