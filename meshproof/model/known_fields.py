"""Every field (and the listed values) of Istio's API, honoured or not, by our model's name.

What is honoured is what the models declare; this table only tells "a field of Istio that
meshproof does not honour yet" from "no field at all". Names are those of the API reference of
networking.istio.io/v1 and, for ``v1alpha2``, of Istio 0.4's config.istio.io/v1alpha2.
"""

from __future__ import annotations

from collections.abc import Mapping

_LOCAL_RATE_LIMIT = (
    "stat_prefix status token_bucket filter_enabled filter_enforced response_headers_to_add "
    "request_headers_to_add_when_not_enforced descriptors stage rate_limits vh_rate_limits "
    "local_rate_limit_per_downstream_connection local_cluster_rate_limit "
    "enable_x_ratelimit_headers always_consume_default_token_bucket "
    "rate_limited_as_resource_exhausted max_dynamic_descriptors"
)

FIELDS: Mapping[str, str] = {
    "istio.VirtualService": "hosts gateways http tls tcp exportTo",
    "istio.TLSMatchAttributes": "sniHosts destinationSubnets port sourceLabels gateways "
    "sourceNamespace",
    "istio.L4MatchAttributes": "destinationSubnets port sourceSubnet sourceLabels gateways "
    "sourceNamespace",
    "istio.HTTPRoute": "name match route redirect directResponse delegate rewrite timeout retries "
    "fault mirror mirrors mirrorPercent mirror_percent mirrorPercentage corsPolicy headers "
    "appendHeaders removeResponseHeaders appendResponseHeaders removeRequestHeaders "
    "appendRequestHeaders websocketUpgrade",
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
    "istio.CorsPolicy": "allowOrigin allowOrigins allowMethods allowHeaders exposeHeaders maxAge "
    "allowCredentials unmatchedPreflights",
    "istio.LocalityLoadBalancerSetting": "distribute failover failoverPriority enabled",
    "istio.PortTrafficPolicy": "port loadBalancer connectionPool outlierDetection tls",
    "istio.ServerTLSSettings": "httpsRedirect mode serverCertificate privateKey caCertificates "
    "caCrl credentialName credentialNames caCertCredentialName tlsCertificates subjectAltNames "
    "verifyCertificateSpki verifyCertificateHash minProtocolVersion maxProtocolVersion "
    "cipherSuites",
    "istio.Gateway": "servers selector",
    "istio.GatewayServer": "port bind hosts tls defaultEndpoint name",
    "istio.GatewayServerPort": "number protocol name targetPort",
    "istio.ClientTLSSettings": "mode clientCertificate privateKey caCertificates credentialName "
    "subjectAltNames sni insecureSkipVerify caCrl",
    "sidecar.Sidecar": "workloadSelector ingress egress inboundConnectionPool "
    "outboundTrafficPolicy",
    "sidecar.EgressListener": "port bind captureMode hosts",
    "sidecar.OutboundTrafficPolicy": "mode egressProxy",
    "sidecar.EgressPort": "number protocol name targetPort",
    "envoy_filter.EnvoyFilter": "workloadSelector targetRefs configPatches priority",
    "envoy_filter.ConfigPatch": "applyTo match patch",
    "envoy_filter.Match": "context proxy listener routeConfiguration cluster waypoint",
    "envoy_filter.Listener": "portNumber portName filterChain listenerFilter name",
    "envoy_filter.FilterChain": "name sni transportProtocol applicationProtocols filter "
    "destinationPort",
    "envoy_filter.NetworkFilter": "name subFilter",
    "envoy_filter.RouteConfiguration": "portNumber portName gateway vhost name",
    "envoy_filter.VirtualHost": "name domainName route",
    "envoy_filter.Route": "name action",
    "envoy_filter.Patch": "operation value filterClass",
    "local_rate_limit.LocalRateLimit": _LOCAL_RATE_LIMIT,
    "local_rate_limit.TypedConfig": f"@type type_url value {_LOCAL_RATE_LIMIT}",
    "local_rate_limit.HeaderToAdd": "header append append_action keep_empty_value",
    "local_rate_limit.Header": "key value raw_value",
    "security.PeerAuthentication": "selector mtls portLevelMtls",
    "security.AuthorizationPolicy": "selector targetRef targetRefs rules action provider",
    "security.RequestAuthentication": "selector targetRef targetRefs jwtRules",
    "security.JWTRule": "issuer audiences jwksUri jwks fromHeaders outputPayloadToHeader "
    "fromParams fromCookies forwardOriginalToken outputClaimToHeaders timeout "
    "spaceDelimitedClaims",
    "telemetry.Telemetry": "selector targetRef targetRefs tracing metrics accessLogging",
    "security.TargetReference": "group kind name namespace",
    "telemetry.Tracing": "match providers randomSamplingPercentage disableSpanReporting "
    "customTags useRequestIdForTraceSampling enableIstioTags disableContextPropagation",
    "telemetry.CustomTag": "literal environment header formatter",
    "telemetry.AccessLogging": "match providers disabled filter",
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
    "v1alpha2.LoadBalancing": "name custom",
    "v1alpha2.CircuitBreaker": "simpleCb custom",
    "v1alpha2.EgressRule": "destination ports useEgressProxy",
    "gateway_api.HTTPRouteSpec": "parentRefs hostnames rules useDefaultGateways",
    "gateway_api.ParentReference": "group kind namespace name sectionName port",
    "gateway_api.HTTPRouteRule": "name matches filters backendRefs timeouts retry "
    "sessionPersistence",
    "gateway_api.HTTPRouteFilter": "type requestHeaderModifier responseHeaderModifier "
    "requestMirror requestRedirect urlRewrite cors externalAuth extensionRef",
    "kube.EnvVarSource": "resourceFieldRef fileKeyRef",
    "kube_scaling.Metric": "type containerResource external object pods resource",
    "kube_scaling.MetricName": "name selector",
    "kube_scaling.CpuTarget": "type averageUtilization averageValue value",
    "kube_scaling.PodsTarget": "type averageUtilization averageValue value",
    "kube_scaling.ScalingRules": "policies selectPolicy stabilizationWindowSeconds tolerance",
}

_PROTOCOLS = "HTTP HTTPS GRPC GRPC-WEB HTTP2 MONGO TCP TLS UDP REDIS MYSQL"

VALUES: Mapping[str, str] = {
    "envoy_filter.ConfigPatch.applyTo": "LISTENER FILTER_CHAIN NETWORK_FILTER HTTP_FILTER "
    "ROUTE_CONFIGURATION VIRTUAL_HOST HTTP_ROUTE CLUSTER EXTENSION_CONFIG BOOTSTRAP "
    "LISTENER_FILTER",
    "envoy_filter.Match.context": "ANY SIDECAR_INBOUND SIDECAR_OUTBOUND GATEWAY WAYPOINT",
    "envoy_filter.Route.action": "ANY ROUTE REDIRECT DIRECT_RESPONSE",
    "envoy_filter.Patch.operation": "MERGE ADD REMOVE INSERT_BEFORE INSERT_AFTER INSERT_FIRST "
    "REPLACE",
    "security.AuthorizationPolicy.action": "ALLOW DENY AUDIT CUSTOM",
    "sidecar.EgressListener.captureMode": "DEFAULT IPTABLES NONE",
    "istio.ServiceEntry.resolution": "NONE STATIC DNS DNS_ROUND_ROBIN DYNAMIC_DNS",
    "istio.ServiceEntry.location": "MESH_EXTERNAL MESH_INTERNAL",
    "istio.ServicePort.protocol": _PROTOCOLS,
    "istio.GatewayServerPort.protocol": _PROTOCOLS,
    "istio.ServerTLSSettings.mode": "PASSTHROUGH SIMPLE MUTUAL AUTO_PASSTHROUGH ISTIO_MUTUAL "
    "OPTIONAL_MUTUAL",
    "istio.ServerTLSSettings.minProtocolVersion": "TLS_AUTO TLSV1_0 TLSV1_1 TLSV1_2 TLSV1_3",
    "istio.ServerTLSSettings.maxProtocolVersion": "TLS_AUTO TLSV1_0 TLSV1_1 TLSV1_2 TLSV1_3",
    "istio.LoadBalancer.simple": "UNSPECIFIED LEAST_CONN RANDOM PASSTHROUGH ROUND_ROBIN "
    "LEAST_REQUEST",
    "gateway_api.HTTPRouteFilter.type": "RequestHeaderModifier ResponseHeaderModifier "
    "RequestMirror RequestRedirect URLRewrite CORS ExternalAuth ExtensionRef",
    "v1alpha2.EgressPort.protocol": "http https http2 grpc tcp mongo",
    "kube.HTTPGet.scheme": "HTTP HTTPS",
    "kube_scaling.Metric.type": "ContainerResource External Object Pods Resource",
    "kube_scaling.ResourceMetric.name": "cpu memory",
    "kube.ServiceSpec.type": "ClusterIP NodePort LoadBalancer ExternalName",
    "kube.ServicePort.protocol": "TCP UDP SCTP",
    "kube.ContainerPort.protocol": "TCP UDP SCTP",
}


_OWNERS = {
    "istio": "Istio",
    "v1alpha2": "Istio 0.4",
    "gateway_api": "the Gateway API",
    "kube": "Kubernetes",
    "kube_scaling": "Kubernetes",
    **dict.fromkeys(("security", "sidecar", "telemetry", "envoy_filter"), "Istio"),
    "local_rate_limit": "Envoy",
}
_PARTS = {
    "kube_pod": "kube",
    "kube_probe": "kube",
    "kube_volumes": "kube",
    "kube_workloads": "kube",
    "virtual_service_route": "istio",
    "destination_rule": "istio",
    "service_entry": "istio",
    "virtual_service_l4": "istio",
    "field_types": "istio",
    "virtual_service": "istio",
    "gateway": "istio",
    "destination_rule_tls": "istio",
}
"""Modules that hold parts of another one's models."""


def modules_of(group: str) -> list[str]:
    """The modules of ``meshproof.model`` that hold a group's models: ``istio`` -> its kinds'."""
    return [m for m, of in _PARTS.items() if of == group] + [group] * (group not in _UNITED)


_UNITED = ("istio",)
"""Groups without a module of their own name."""


def owner(model: type) -> str:
    """Whose word the model's fields are: ``Istio``, ``Istio 0.4`` or ``Kubernetes``."""
    return _OWNERS.get(_group(model), "meshproof")


def fields(model: type) -> frozenset[str]:
    """Every field that the API has at this model's place, as far as the table says."""
    return frozenset(FIELDS.get(f"{_group(model)}.{model.__name__}", "").split())


def values(model: type, field: str) -> frozenset[str]:
    """Every value that the API has for this field, as far as the table says."""
    return frozenset(VALUES.get(f"{_group(model)}.{model.__name__}.{field}", "").split())


def key(model: type, field: str) -> str:
    """A field's name in tables: ``istio.HTTPRoute.match``."""
    return f"{_group(model)}.{model.__name__}.{field}"


def _group(model: type) -> str:
    name = model.__module__.rpartition(".")[2]
    return _PARTS.get(name, name)
