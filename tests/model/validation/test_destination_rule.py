"""DestinationRules that Istio's webhook and CRD refuse, and what they take."""

from __future__ import annotations

import pytest

from tests.model.validation.judge import check, judge

KIND = "DestinationRule"


def policy(fields: str) -> str:
    return f"{{host: cart, trafficPolicy: {{{fields}}}}}"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ("", "", "is empty"),
        ("tunnel: {targetHost: a, targetPort: 1}, proxyProtocol: {}", ".proxyProtocol", "tunnel"),
        ("tunnel: {targetHost: a, targetPort: 0}", ".tunnel.targetPort", "no port"),
        ("tunnel: {targetHost: a, targetPort: 1, protocol: GET}", ".tunnel.protocol", "GET"),
        ("connectionPool: {}", ".connectionPool", "is empty"),
        ("connectionPool: {tcp: {maxConnections: -1}}", ".connectionPool.tcp.maxConnections",
         "negative"),
        ("connectionPool: {tcp: {connectTimeout: 0.5ms}}", ".connectionPool.tcp.connectTimeout",
         "less than a millisecond"),
        ("connectionPool: {tcp: {tcpKeepalive: {interval: 1s1us}}}",
         ".connectionPool.tcp.tcpKeepalive.interval", "finer than a millisecond"),
        ("connectionPool: {tcp: {idleTimeout: 1.0001s}}", ".connectionPool.tcp.idleTimeout",
         "finer"),
        ("connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}",
         ".connectionPool.http.useClientProtocol", "UPGRADE"),
        ("outlierDetection: {interval: 0s}", ".outlierDetection.interval", "less than"),
        ("outlierDetection: {maxEjectionPercent: 101}", ".outlierDetection.maxEjectionPercent",
         "101"),
        ("outlierDetection: {consecutiveLocalOriginFailures: 3}",
         ".outlierDetection.consecutiveLocalOriginFailures", "splitExternal"),
        ("loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}", ".loadBalancer",
         "both"),
        ("loadBalancer: {consistentHash: {httpCookie: {ttl: 1s}}}",
         ".loadBalancer.consistentHash.httpCookie.name", "missing"),
        ("loadBalancer: {consistentHash: {httpCookie: {name: a, attributes: [{name: b}, "
         "{name: b}]}}}", ".loadBalancer.consistentHash.httpCookie.attributes[1].name", "twice"),
        ("loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 9}}}",
         ".loadBalancer.consistentHash.maglev.tableSize", "not a prime"),
        ("loadBalancer: {consistentHash: {useSourceIp: true, maglev: {}}}",
         ".loadBalancer.consistentHash.maglev.tableSize", "missing"),
        ("loadBalancer: {warmup: {}}", ".loadBalancer.warmup.duration", "missing"),
        ("loadBalancer: {warmup: {duration: 1s, aggression: 0.5}}",
         ".loadBalancer.warmup.aggression", "less than 1"),
        ("loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {a: 98, b: 1}}]}}",
         ".loadBalancer.localityLbSetting.distribute[0].to", "adds up to 99"),
        ("loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {a: 100, b: 0}}]}}",
         ".loadBalancer.localityLbSetting.distribute[0].to.b", "is 0"),
        ("loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {a: 100}}, "
         "{from: a/b, to: {a: 100}}]}}",
         ".loadBalancer.localityLbSetting.distribute[1].from", "overlaps"),
        ("loadBalancer: {localityLbSetting: {distribute: [{from: a//c, to: {a: 100}}]}}",
         ".loadBalancer.localityLbSetting.distribute[0].from", "empty part"),
        ("loadBalancer: {localityLbSetting: {failover: [{from: a, to: a}]}}, outlierDetection: {}",
         ".loadBalancer.localityLbSetting.failover[0]", "to itself"),
        ("loadBalancer: {localityLbSetting: {failover: [{from: a/b, to: c}]}}, "
         "outlierDetection: {}", ".loadBalancer.localityLbSetting.failover[0]", "region"),
        ("tls: {mode: MUTUAL, clientCertificate: /a}", ".tls.privateKey", "missing"),
        ("tls: {mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [a]}",
         ".tls.subjectAltNames", "insecureSkipVerify turns off"),
        ("tls: {mode: SIMPLE, credentialName: a, caCertificates: /b}", ".tls.caCertificates",
         "beside credentialName"),
        ("portLevelSettings: [{port: {number: 80}}]", ".portLevelSettings[0]", "says nothing"),
        ("portLevelSettings: [{tls: {}}]", ".portLevelSettings[0].port", "missing"),
        ("portLevelSettings: [{port: {number: 80}, connectionPool: {}}]",
         ".portLevelSettings[0].connectionPool", "is empty"),
    ],
)  # fmt: skip
def test_a_traffic_policy(fields: str, field: str, message: str) -> None:
    check(KIND, policy(fields), f"trafficPolicy{field}", message)


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ("{host: ca rt}", "host", "not a DNS name"),
        ("{host: cart, subsets: [{name: v1.0}]}", "subsets[0].name", "DNS label"),
        ("{host: cart, subsets: [{name: a}, {name: a}]}", "subsets[1].name", "twice"),
        ("{host: cart, subsets: [{name: a, labels: {v: 'a b'}}]}", "subsets[0].labels.v",
         "value of a label"),
        ("{host: cart, subsets: [{name: a, trafficPolicy: {connectionPool: {}}}]}",
         "subsets[0].trafficPolicy.connectionPool", "is empty"),
        ("{host: cart, workloadSelector: {matchLabels: {app: a*}}}",
         "workloadSelector.matchLabels.app", "has a *"),
        ("{host: cart, workloadSelector: {matchLabels: {app: a}}, exportTo: ['*']}", "exportTo",
         "beyond the own namespace"),
    ],
)  # fmt: skip
def test_a_rule(spec: str, field: str, message: str) -> None:
    check(KIND, spec, field, message)


@pytest.mark.parametrize(
    "spec",
    [
        policy("connectionPool: {tcp: {idleTimeout: 0s}}"),
        policy("connectionPool: {tcp: {}}"),
        policy("outlierDetection: {consecutive5xxErrors: 0, interval: 1ms}"),
        policy("loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 5}}}"),
        policy("tls: {mode: MUTUAL, credentialName: a}"),
        policy("retryBudget: {}"),
        '{host: "*.shop.test", workloadSelector: {matchLabels: {app: a}}, exportTo: ["."]}',
    ],
)
def test_what_istio_takes(spec: str) -> None:
    assert judge(KIND, spec) == []


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ("outlierDetection: {consecutiveErrors: 5}", "outlierDetection.consecutiveErrors",
         "Istio ignores it"),
        ("loadBalancer: {consistentHash: {useSourceIp: true, minimumRingSize: 5}}",
         "loadBalancer.consistentHash.minimumRingSize", "deprecated"),
        ("loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}",
         "loadBalancer.localityLbSetting", "outlierDetection alone"),
    ],
)  # fmt: skip
def test_what_istio_warns_of(fields: str, field: str, message: str) -> None:
    assert judge(KIND, policy(fields)) == []
    check(KIND, policy(fields), f"trafficPolicy.{field}", message, warnings=True)
