"""Each field of a RouteRule as Istio 0.4 meant it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from meshproof.errors import Problem, Refused
from meshproof.istio04.lower import lower
from meshproof.model.virtual_service_route import StringMatch
from meshproof.model.yaml_writer import to_yaml

if TYPE_CHECKING:
    from meshproof.translate.world import Service
    from tests.istio04.conftest import Read

Route = Callable[[str], Any]
Refusal = Callable[[str], tuple[Problem, ...]]

HEAD = """
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: NAME}
spec:
  destination: {name: svcb}
"""


def rule(body: str, name: str = "one") -> str:
    lines = "".join(f"  {line}\n" for line in body.strip("\n").splitlines())
    return HEAD.replace("NAME", name) + lines


@pytest.fixture
def http(read: Read, services: list[Service]) -> Route:
    """The first route of the VirtualService that one rule becomes; its YAML must read back."""

    def make(body: str) -> Any:
        resources = lower(read(rule(body)), services)
        assert read(to_yaml(resources)) == resources
        return resources[0].spec.http[0]

    return make


@pytest.fixture
def refusal(read: Read, services: list[Service]) -> Refusal:
    def make(text: str) -> tuple[Problem, ...]:
        with pytest.raises(Refused) as caught:
            lower(read(text), services)
        return caught.value.problems

    return make


def test_defaults_of_0_4_are_written_out(http: Route) -> None:
    route = http("precedence: 1")
    assert route.timeout == 15.0
    assert route.retries.attempts == 0
    assert route.route[0].destination.host == "svcb.default.svc.cluster.local"
    assert route.route[0].destination.subset is None


@pytest.mark.parametrize(("duration", "seconds"), [("2s", 2.0), ("250ms", 0.25), ("0s", 15.0)])
def test_timeout(http: Route, duration: str, seconds: float) -> None:
    assert http(f"httpReqTimeout: {{simpleTimeout: {{timeout: {duration}}}}}").timeout == seconds


def test_retries(http: Route) -> None:
    retries = http("httpReqRetries: {simpleRetry: {attempts: 3, perTryTimeout: 2s}}").retries
    assert (retries.attempts, retries.per_try_timeout) == (3, 2.0)
    assert retries.retry_on == "5xx,connect-failure,refused-stream"
    assert retries.retry_ignore_previous_hosts is False


def test_no_attempts_are_no_retries(http: Route) -> None:
    retries = http("httpReqRetries: {simpleRetry: {attempts: 0}}").retries
    assert (retries.attempts, retries.retry_on) == (0, None)


def test_fault_keeps_its_fraction(http: Route) -> None:
    fault = http(
        "httpFault: {delay: {percent: 12.5, fixedDelay: 5s}, abort: {percent: 1, httpStatus: 400}}"
    ).fault
    assert (fault.delay.percentage.value, fault.delay.fixed_delay) == (12.5, 5.0)
    assert (fault.abort.percentage.value, fault.abort.http_status) == (1.0, 400)


@pytest.mark.parametrize(
    "body",
    ["httpFault: {delay: {percent: 0, fixedDelay: 5s}}", "httpFault: {abort: {httpStatus: 400}}"],
)
def test_fault_of_no_percent_is_none(http: Route, body: str) -> None:
    assert http(body).fault is None


def test_redirect_is_301_and_stands_alone(http: Route) -> None:
    route = http("redirect: {uri: /new, authority: other}")
    assert (route.redirect.uri, route.redirect.authority) == ("/new", "other")
    assert route.redirect.redirect_code == 301
    assert (route.route, route.timeout, route.retries) == ([], None, None)


def test_rewrite(http: Route) -> None:
    rewrite = http("rewrite: {uri: /new, authority: other}").rewrite
    assert (rewrite.uri, rewrite.authority) == ("/new", "other")


def test_append_headers(http: Route) -> None:
    assert http("appendHeaders: {x-one: '1'}").headers.request.add == {"x-one": "1"}


def test_mirror_takes_every_request(read: Read, services: list[Service]) -> None:
    virtual_service, *policies = lower(
        read(rule("mirror: {name: svcc, labels: {version: v2}}")), services
    )
    route = virtual_service.spec.http[0]
    assert route.mirror.host == "svcc.default.svc.cluster.local"
    assert (route.mirror.subset, route.mirror_percentage.value) == ("version-v2", 100.0)
    assert [p.spec.host.split(".")[0] for p in policies] == ["svcb", "svcc"]


def test_match_keys_become_fields(http: Route) -> None:
    (match,) = http(
        "match: {request: {headers: {uri: {prefix: /a}, method: {exact: GET}, "
        "authority: {exact: b}, scheme: {exact: http}, x-user: {prefix: j}, cookie: {regex: a.*}}}}"
    ).match
    assert match.uri == StringMatch(prefix="/a")
    assert match.method == StringMatch(exact="GET")
    assert match.authority == StringMatch(exact="b")
    assert match.scheme == StringMatch(exact="http")
    assert match.headers == {"x-user": StringMatch(prefix="j"), "cookie": StringMatch(regex="a.*")}


def test_uri_regex_is_refused_because_it_was_dead(refusal: Refusal) -> None:
    (problem,) = refusal(rule("match: {request: {headers: {uri: {regex: '/a.*'}}}}"))
    assert problem.field == "spec.match.request.headers.uri.regex"
    assert problem.line == 7
    assert "never matched" in problem.found


def test_empty_uri_match_is_refused(refusal: Refusal) -> None:
    (problem,) = refusal(rule("match: {request: {headers: {uri: {}}}}"))
    assert problem.wanted == "exact or prefix"


def test_source_becomes_the_labels_behind_the_service(http: Route) -> None:
    (match,) = http("match: {source: {name: svca, labels: {version: v1}}}").match
    assert match.source_labels == {"app": "svca", "version": "v1"}
    assert match.source_namespace == "default"


@pytest.mark.parametrize(
    "source", ["{name: nobody}", "{name: blind}", "{name: svca, labels: {app: svcb}}"]
)
def test_source_without_pods_leaves_the_default_route(http: Route, source: str) -> None:
    route = http(f"match: {{source: {source}}}")
    assert (route.name, route.match) == ("default-route", [])


def test_source_without_a_name_is_refused(refusal: Refusal) -> None:
    (problem,) = refusal(rule("match: {source: {labels: {version: v1}}}"))
    assert problem.field == "spec.match.source"


def test_route_to_another_service(read: Read, services: list[Service]) -> None:
    text = rule("route: [{destination: {name: far, namespace: other}, labels: {version: v1}}]")
    virtual_service, policy = lower(read(text), services)
    to = virtual_service.spec.http[0].route[0].destination
    assert (to.host, to.subset) == ("far.other.svc.cluster.local", "version-v1")
    assert policy.title == "DestinationRule other/far"


@pytest.mark.parametrize("service", ["svcb", "'*.svc.cluster.local'", "10.0.0.1"])
def test_destination_service_must_be_one_full_name(refusal: Refusal, service: str) -> None:
    text = rule("precedence: 1").replace("{name: svcb}", f"{{service: {service}}}")
    (problem,) = refusal(text)
    assert problem.field == "spec.destination.service"


def test_full_name_and_short_name_are_one_destination(read: Read, services: list[Service]) -> None:
    full = rule("precedence: 2", "full").replace(
        "{name: svcb}", "{service: svcb.default.svc.cluster.local}"
    )
    resources = lower([*read(rule("precedence: 1")), *read(full)], services)
    assert [r.kind for r in resources] == ["VirtualService", "DestinationRule"]


def test_all_problems_at_once(refusal: Refusal) -> None:
    one = rule("match: {request: {headers: {uri: {regex: a}}}}")
    two = rule("match: {source: {labels: {a: b}}}", "two")
    assert len(refusal(one + "---" + two)) == 2
