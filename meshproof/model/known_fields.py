"""Every field (and the listed values) of Istio's API, honoured or not, by our model's name.

What is honoured is what the models declare; this table only tells "a field of Istio that
meshproof does not honour yet" from "no field at all". Names are those of the API reference of
networking.istio.io/v1 and, for ``v1alpha2``, of Istio 0.4's config.istio.io/v1alpha2.
"""

from __future__ import annotations

from collections.abc import Mapping

FIELDS: Mapping[str, str] = {
    "istio.VirtualService": "hosts gateways http tls tcp exportTo",
    "istio.HTTPRoute": "name match route redirect directResponse delegate rewrite timeout retries "
    "fault mirror mirrors mirrorPercent mirrorPercentage corsPolicy headers appendHeaders "
    "removeResponseHeaders appendResponseHeaders removeRequestHeaders appendRequestHeaders "
    "websocketUpgrade",
    "istio.HTTPMatchRequest": "name uri scheme method authority headers port sourceLabels gateways "
    "queryParams ignoreUriCase withoutHeaders sourceNamespace statPrefix",
    "istio.HTTPRouteDestination": "destination weight headers removeResponseHeaders "
    "appendResponseHeaders removeRequestHeaders appendRequestHeaders",
    "istio.HTTPRewrite": "uri authority uriRegexRewrite",
    "istio.HTTPRedirect": "uri authority port derivePort scheme redirectCode",
    "istio.HTTPDirectResponse": "status body",
    "istio.HTTPBody": "string bytes",
    "istio.Delay": "percent fixedDelay exponentialDelay percentage",
    "istio.Abort": "percent httpStatus grpcStatus http2Error percentage",
    "istio.HTTPRetry": "attempts perTryTimeout retryOn retryRemoteLocalities "
    "retryIgnorePreviousHosts backoff",
    "istio.DestinationRule": "host trafficPolicy subsets exportTo workloadSelector",
    "istio.TrafficPolicy": "loadBalancer connectionPool outlierDetection tls portLevelSettings "
    "tunnel proxyProtocol retryBudget",
    "istio.Subset": "name labels trafficPolicy",
    "istio.LoadBalancer": "simple consistentHash localityLbSetting warmupDurationSecs warmup",
    "istio.ConsistentHash": "httpHeaderName httpCookie useSourceIp httpQueryParameterName "
    "ringHash maglev minimumRingSize",
    "istio.HTTPCookie": "name path ttl attributes",
    "istio.TCPSettings": "maxConnections connectTimeout tcpKeepalive maxConnectionDuration "
    "idleTimeout",
    "istio.HTTPSettings": "http1MaxPendingRequests http2MaxRequests maxRequestsPerConnection "
    "maxRetries idleTimeout h2UpgradePolicy useClientProtocol maxConcurrentStreams",
    "istio.OutlierDetection": "consecutiveErrors splitExternalLocalOriginErrors "
    "consecutiveLocalOriginFailures consecutiveGatewayErrors consecutive5xxErrors interval "
    "baseEjectionTime maxEjectionPercent minHealthPercent",
    "istio.ServiceEntry": "hosts addresses ports location resolution endpoints workloadSelector "
    "exportTo subjectAltNames",
    "istio.ServicePort": "number protocol name targetPort",
    "istio.WorkloadEntry": "address ports labels network locality weight serviceAccount",
    "istio.Gateway": "servers selector",
    "istio.GatewayServer": "port bind hosts tls defaultEndpoint name",
    "istio.GatewayServerPort": "number protocol name targetPort",
    "v1alpha2.RouteRule": "destination precedence match route redirect rewrite websocketUpgrade "
    "httpReqTimeout httpReqRetries httpFault l4Fault mirror corsPolicy appendHeaders "
    "directResponse",
    "v1alpha2.MatchCondition": "source tcp udp request",
    "v1alpha2.HTTPTimeout": "simpleTimeout custom",
    "v1alpha2.SimpleTimeout": "timeout overrideHeaderName",
    "v1alpha2.HTTPRetry": "simpleRetry custom",
    "v1alpha2.SimpleRetry": "attempts perTryTimeout overrideHeaderName",
    "v1alpha2.FaultDelay": "percent fixedDelay exponentialDelay overrideHeaderName",
    "v1alpha2.FaultAbort": "percent grpcStatus http2Error httpStatus overrideHeaderName",
    "v1alpha2.EgressRule": "destination ports useEgressProxy",
    "kube.Probe": "grpc",
    "kube.EnvVarSource": "resourceFieldRef fileKeyRef",
}

_PROTOCOLS = "HTTP HTTPS GRPC GRPC-WEB HTTP2 MONGO TCP TLS UDP REDIS MYSQL"

VALUES: Mapping[str, str] = {
    "istio.ServiceEntry.resolution": "NONE STATIC DNS DNS_ROUND_ROBIN DYNAMIC_DNS",
    "istio.ServiceEntry.location": "MESH_EXTERNAL MESH_INTERNAL",
    "istio.ServicePort.protocol": _PROTOCOLS,
    "istio.GatewayServerPort.protocol": _PROTOCOLS,
    "istio.LoadBalancer.simple": "UNSPECIFIED LEAST_CONN RANDOM PASSTHROUGH ROUND_ROBIN "
    "LEAST_REQUEST",
    "v1alpha2.EgressPort.protocol": "http https http2 grpc tcp mongo",
    "kube.HTTPGet.scheme": "HTTP HTTPS",
    "kube.ServiceSpec.type": "ClusterIP NodePort LoadBalancer ExternalName",
    "kube.ServicePort.protocol": "TCP UDP SCTP",
    "kube.ContainerPort.protocol": "TCP UDP SCTP",
}


def owner(model: type) -> str:
    """Whose word the model's fields are: ``Istio``, ``Istio 0.4`` or ``Kubernetes``."""
    names = {"istio": "Istio", "v1alpha2": "Istio 0.4", "kube": "Kubernetes"}
    return names.get(_group(model), "meshproof")


def fields(model: type) -> frozenset[str]:
    """Every field that the API has at this model's place, as far as the table says."""
    return frozenset(FIELDS.get(f"{_group(model)}.{model.__name__}", "").split())


def values(model: type, field: str) -> frozenset[str]:
    """Every value that the API has for this field, as far as the table says."""
    return frozenset(VALUES.get(f"{_group(model)}.{model.__name__}.{field}", "").split())


def _group(model: type) -> str:
    return model.__module__.rpartition(".")[2].removesuffix("_pod")
