"""What ``convert`` prints makes the same Envoy configuration as the old rules do."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.admission.store import Store
from meshproof.embedded.config.world_builder import build_world
from meshproof.errors import Refused, UsageError
from meshproof.istio04.convert import convert
from meshproof.mesh import Source
from meshproof.model.reader import read_text, with_default_namespace
from meshproof.translate.envoy_config import build_outbound
from meshproof.translate.world import Address, Outside, Proxy
from tests.translate import builders

SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: svca}
spec: {selector: {app: svca}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: svcb}
spec: {selector: {app: svcb}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""
OLD = """
---
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: split}
spec:
  destination: {name: svcb}
  precedence: 1
  route:
  - {labels: {version: v1}, weight: 90}
  - {labels: {version: v2}, weight: 10}
  httpReqRetries: {simpleRetry: {attempts: 2, perTryTimeout: 1s}}
  httpFault: {delay: {percent: 1.5, fixedDelay: 2s}}
  appendHeaders: {x-a: "1"}
  mirror: {name: svca}
  corsPolicy: {allowOrigin: ["http://a.test"]}
---
apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata: {name: first}
spec:
  destination: {name: svcb}
  precedence: 2
  websocketUpgrade: true
  match:
    source: {name: svca, labels: {version: v1}}
    request: {headers: {cookie: {regex: "^(.*?;)?(user=jason)(;.*)?$"}, uri: {prefix: /a}}}
  route: [{labels: {version: v2}}]
---
apiVersion: config.istio.io/v1alpha2
kind: DestinationPolicy
metadata: {name: breaker}
spec:
  destination: {name: svcb, labels: {version: v1}}
  source: {name: svca}
  circuitBreaker: {simpleCb: {maxConnections: 5, httpMaxRetries: 9}}
---
apiVersion: config.istio.io/v1alpha2
kind: EgressRule
metadata: {name: out}
spec: {destination: {service: m.test}, ports: [{port: 80, protocol: http}]}
"""
PROXIES = (
    Proxy("sidecar", "default", "svca", {"app": "svca", "version": "v1"}, "svca"),
    Proxy("sidecar", "default", "other", {"app": "other"}, "other"),
    Proxy("sidecar", "elsewhere", "other", {"app": "svca"}, "other"),
)


def _configured(text: str, proxy: Proxy) -> Any:
    resources = with_default_namespace(read_text(text, "f.yaml"), "default")
    replicas = [builders.replica("svcb", v, f"127.60.0.{i}") for i, v in ((1, "v1"), (2, "v2"))]
    outside = [Outside("m.test", {80: Address("127.60.9.1", 1)})]
    store = Store()
    for resource in resources:  # one change each: Istio orders by creation
        store, _ = store.apply([resource])
    return build_outbound(build_world(store, replicas, outside), proxy)


@pytest.mark.parametrize("proxy", PROXIES)
def test_both_give_the_same_configuration(proxy: Proxy) -> None:
    conversion = convert([Source("old.yaml", SERVICES + OLD)])
    assert "config.istio.io" not in conversion.text
    assert "kind: Service\n" not in conversion.text
    assert _configured(SERVICES + conversion.text, proxy) == _configured(SERVICES + OLD, proxy)


def test_each_change_names_the_rules_that_it_concerns() -> None:
    lines = convert([Source("old.yaml", SERVICES + OLD)]).changes
    by_topic = {line.partition(":")[0]: line for line in reversed(lines)}
    assert by_topic["websocketUpgrade"].endswith("(RouteRule default/first)")
    assert by_topic["httpMaxRetries"].endswith("(DestinationPolicy default/breaker)")
    assert by_topic["timeout"].endswith("(RouteRule default/split, RouteRule default/first)")
    assert next(line for line in lines if "retryOn" in line).endswith("(RouteRule default/split)")


def test_v1_rules_stay_without_a_word() -> None:
    rule = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\n"
        "spec: {hosts: [a], http: [{route: [{destination: {host: a}}]}]}\n"
    )
    conversion = convert([Source("v1.yaml", rule)], namespace="pay")
    assert (conversion.changes, conversion.warnings) == ((), ())
    assert read_text(conversion.text, "x") == with_default_namespace(read_text(rule, "x"), "pay")


def test_a_caller_without_its_service_is_refused() -> None:
    with pytest.raises(Refused, match="pass the file that holds the Service too"):
        convert([Source("old.yaml", OLD)])


def test_files_without_a_rule() -> None:
    with pytest.raises(UsageError, match="no rule of Istio"):
        convert([Source("services.yaml", SERVICES)])
