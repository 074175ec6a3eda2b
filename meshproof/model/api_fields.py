"""Every field (and the listed values) of the APIs, honoured here or not, by our model's name.

What is honoured is what the models declare; these tables only tell "a field of Istio that meshproof
does not honour yet" from "no field at all". A key is ``<module>.<Model>``. Names are those of the
API references of networking.istio.io/v1 and its like and, for ``v1alpha2``, of Istio 0.4's
config.istio.io/v1alpha2.
"""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.model import mesh_config_fields

FIELDS: Mapping[str, str] = {
    **mesh_config_fields.FIELDS,
    "virtual_service.VirtualService": "hosts gateways http tls tcp exportTo",
    "virtual_service_l4.TLSMatchAttributes": (
        "sniHosts destinationSubnets port sourceLabels gateways sourceNamespace"
    ),
    "virtual_service_l4.L4MatchAttributes": (
        "destinationSubnets port sourceSubnet sourceLabels gateways sourceNamespace"
    ),
    "virtual_service.HTTPRoute": (
        "name match route redirect directResponse delegate rewrite timeout retries fault mirror "
        "mirrors mirrorPercent mirror_percent mirrorPercentage corsPolicy headers appendHeaders "
        "removeResponseHeaders appendResponseHeaders removeRequestHeaders appendRequestHeaders "
        "websocketUpgrade"
    ),
    "virtual_service_route.HTTPMatchRequest": (
        "name uri scheme method authority headers port sourceLabels gateways queryParams "
        "ignoreUriCase withoutHeaders sourceNamespace statPrefix"
    ),
    "virtual_service_route.HTTPRouteDestination": (
        "destination weight headers removeResponseHeaders appendResponseHeaders "
        "removeRequestHeaders appendRequestHeaders"
    ),
    "virtual_service_route.HTTPRewrite": "uri authority uriRegexRewrite",
    "virtual_service_route.HTTPRedirect": "uri authority port derivePort scheme redirectCode",
    "virtual_service_route.HTTPDirectResponse": "status body",
    "virtual_service_route.HTTPBody": "string bytes",
    "virtual_service_route.Delay": "percent fixedDelay exponentialDelay percentage",
    "virtual_service_route.Abort": "percent httpStatus grpcStatus http2Error percentage",
    "virtual_service_route.HTTPRetry": (
        "attempts perTryTimeout retryOn retryRemoteLocalities retryIgnorePreviousHosts backoff"
    ),
    "destination_rule.DestinationRule": "host trafficPolicy subsets exportTo workloadSelector",
    "destination_rule.TrafficPolicy": (
        "loadBalancer connectionPool outlierDetection tls portLevelSettings tunnel "
        "proxyProtocol retryBudget"
    ),
    "destination_rule.Tunnel": "protocol targetHost targetPort",
    "destination_rule.Subset": "name labels trafficPolicy",
    "destination_rule.LoadBalancer": (
        "simple consistentHash localityLbSetting warmupDurationSecs warmup"
    ),
    "destination_rule.ConsistentHash": (
        "httpHeaderName httpCookie useSourceIp httpQueryParameterName ringHash maglev "
        "minimumRingSize"
    ),
    "destination_rule.HTTPCookie": "name path ttl attributes",
    "destination_rule.TCPSettings": (
        "maxConnections connectTimeout tcpKeepalive maxConnectionDuration idleTimeout"
    ),
    "destination_rule.HTTPSettings": (
        "http1MaxPendingRequests http2MaxRequests maxRequestsPerConnection maxRetries "
        "idleTimeout h2UpgradePolicy useClientProtocol maxConcurrentStreams"
    ),
    "destination_rule.OutlierDetection": (
        "consecutiveErrors splitExternalLocalOriginErrors consecutiveLocalOriginFailures "
        "consecutiveGatewayErrors consecutive5xxErrors interval baseEjectionTime "
        "maxEjectionPercent minHealthPercent"
    ),
    "service_entry.ServiceEntry": (
        "hosts addresses ports location resolution endpoints workloadSelector exportTo "
        "subjectAltNames"
    ),
    "service_entry.ServicePort": "number protocol name targetPort",
    "workload_entry.WorkloadEntry": "address ports labels network locality weight serviceAccount",
    "virtual_service_route.CorsPolicy": (
        "allowOrigin allowOrigins allowMethods allowHeaders exposeHeaders maxAge "
        "allowCredentials unmatchedPreflights"
    ),
    "destination_rule.LocalityLoadBalancerSetting": "distribute failover failoverPriority enabled",
    "destination_rule.PortTrafficPolicy": "port loadBalancer connectionPool outlierDetection tls",
    "gateway.ServerTLSSettings": (
        "httpsRedirect mode serverCertificate privateKey caCertificates caCrl credentialName "
        "credentialNames caCertCredentialName tlsCertificates subjectAltNames "
        "verifyCertificateSpki verifyCertificateHash minProtocolVersion maxProtocolVersion "
        "cipherSuites"
    ),
    "gateway.Gateway": "servers selector",
    "gateway.GatewayServer": "port bind hosts tls defaultEndpoint name",
    "gateway.GatewayServerPort": "number protocol name targetPort",
    "destination_rule_tls.ClientTLSSettings": (
        "mode clientCertificate privateKey caCertificates credentialName subjectAltNames sni "
        "insecureSkipVerify caCrl"
    ),
    "sidecar.Sidecar": (
        "workloadSelector ingress egress inboundConnectionPool outboundTrafficPolicy"
    ),
    "sidecar.EgressListener": "port bind captureMode hosts",
    "sidecar.IngressListener": "port bind captureMode defaultEndpoint tls connectionPool",
    "sidecar.IngressPort": "number protocol name targetPort",
    "sidecar.OutboundTrafficPolicy": "mode egressProxy",
    "sidecar.EgressPort": "number protocol name targetPort",
    "peer_authentication.PeerAuthentication": "selector mtls portLevelMtls",
    "authorization_policy.AuthorizationPolicy": (
        "selector targetRef targetRefs rules action provider"
    ),
    "request_authentication.RequestAuthentication": "selector targetRef targetRefs jwtRules",
    "request_authentication.JWTRule": (
        "issuer audiences jwksUri jwks fromHeaders outputPayloadToHeader fromParams fromCookies "
        "forwardOriginalToken outputClaimToHeaders timeout spaceDelimitedClaims"
    ),
    "wasm_plugin.WasmPlugin": (
        "selector targetRef targetRefs url sha256 imagePullPolicy imagePullSecret verificationKey "
        "pluginConfig pluginName phase priority failStrategy vmConfig match type"
    ),
    "wasm_plugin.TrafficSelector": "mode ports",
    "telemetry.Telemetry": "selector targetRef targetRefs tracing metrics accessLogging",
    "workload_selector.TargetReference": "group kind name namespace",
    "telemetry.Tracing": (
        "match providers randomSamplingPercentage disableSpanReporting customTags "
        "useRequestIdForTraceSampling enableIstioTags disableContextPropagation"
    ),
    "telemetry.CustomTag": "literal environment header formatter",
    "extension_providers.ExtensionProvider": (
        "name envoyExtAuthzHttp envoyExtAuthzGrpc zipkin lightstep datadog stackdriver opencensus "
        "skywalking opentelemetry prometheus envoyFileAccessLog envoyHttpAls envoyTcpAls "
        "envoyOtelAls sds"
    ),
    "extension_providers.Header": "name value envName",
    "extension_providers.OpenTelemetry": (
        "service port maxTagLength http grpc resourceDetectors dynatraceSampler"
    ),
    "telemetry.AccessLogging": "match providers disabled filter",
    "v1alpha2.RouteRule": (
        "destination precedence match route redirect rewrite websocketUpgrade httpReqTimeout "
        "httpReqRetries httpFault l4Fault mirror corsPolicy appendHeaders directResponse"
    ),
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
    "http_route.HTTPRouteSpec": "parentRefs hostnames rules useDefaultGateways",
    "http_route_references.ParentReference": "group kind namespace name sectionName port",
    "gateway_api.KubernetesGateway": (
        "gatewayClassName listeners addresses infrastructure allowedListeners tls defaultScope"
    ),
    "gateway_api.Infrastructure": "labels annotations parametersRef",
    "gateway_api.GatewayTLS": "backend frontend",
    "gateway_api.GatewayClassSpec": "controllerName parametersRef description",
    "gateway_api.BackendTLSPolicySpec": "targetRefs validation options",
    "grpc_route.GRPCRouteSpec": "parentRefs hostnames rules useDefaultGateways",
    "grpc_route.GRPCRouteRule": "name matches filters backendRefs sessionPersistence",
    "connection_routes.TCPRouteSpec": "parentRefs rules useDefaultGateways",
    "connection_routes.TLSRouteSpec": "parentRefs hostnames rules useDefaultGateways",
    "http_route.HTTPRouteRule": (
        "name matches filters backendRefs timeouts retry sessionPersistence"
    ),
    "http_route_filters.HTTPRouteFilter": (
        "type requestHeaderModifier responseHeaderModifier requestMirror requestRedirect "
        "urlRewrite cors externalAuth extensionRef"
    ),
    "kube_pod.EnvVarSource": "configMapKeyRef secretKeyRef fieldRef resourceFieldRef fileKeyRef",
    "kube_hpa.Metric": "type containerResource external object pods resource",
    "kube_hpa.MetricName": "name selector",
    "kube_hpa.CpuTarget": "type averageUtilization averageValue value",
    "kube_hpa.PodsTarget": "type averageUtilization averageValue value",
    "kube_hpa.ScalingRules": "policies selectPolicy stabilizationWindowSeconds tolerance",
}

_PROTOCOLS = "HTTP HTTPS GRPC GRPC-WEB HTTP2 MONGO TCP TLS UDP REDIS MYSQL"

VALUES: Mapping[str, str] = {
    **mesh_config_fields.VALUES,
    "authorization_policy.AuthorizationPolicy.action": "ALLOW DENY AUDIT CUSTOM",
    "sidecar.EgressListener.captureMode": "DEFAULT IPTABLES NONE",
    "sidecar.IngressListener.captureMode": "DEFAULT IPTABLES NONE",
    "service_entry.ServiceEntry.resolution": "NONE STATIC DNS DNS_ROUND_ROBIN DYNAMIC_DNS",
    "service_entry.ServiceEntry.location": "MESH_EXTERNAL MESH_INTERNAL",
    "service_entry.ServicePort.protocol": _PROTOCOLS,
    "gateway.GatewayServerPort.protocol": _PROTOCOLS,
    "gateway.ServerTLSSettings.mode": (
        "PASSTHROUGH SIMPLE MUTUAL AUTO_PASSTHROUGH ISTIO_MUTUAL OPTIONAL_MUTUAL"
    ),
    "gateway.ServerTLSSettings.minProtocolVersion": "TLS_AUTO TLSV1_0 TLSV1_1 TLSV1_2 TLSV1_3",
    "gateway.ServerTLSSettings.maxProtocolVersion": "TLS_AUTO TLSV1_0 TLSV1_1 TLSV1_2 TLSV1_3",
    "destination_rule.LoadBalancer.simple": (
        "UNSPECIFIED LEAST_CONN RANDOM PASSTHROUGH ROUND_ROBIN LEAST_REQUEST"
    ),
    "http_route_filters.HTTPRouteFilter.type": (
        "RequestHeaderModifier ResponseHeaderModifier RequestMirror RequestRedirect URLRewrite "
        "CORS ExternalAuth ExtensionRef"
    ),
    "sidecar.OutboundTrafficPolicy.mode": "REGISTRY_ONLY ALLOW_ANY",
    "v1alpha2.EgressPort.protocol": "http https http2 grpc tcp mongo",
    "kube_probe.HTTPGet.scheme": "HTTP HTTPS",
    "kube_hpa.Metric.type": "ContainerResource External Object Pods Resource",
    "kube_hpa.ResourceMetric.name": "cpu memory",
    "kube_service.ServiceSpec.type": "ClusterIP NodePort LoadBalancer ExternalName",
    "kube_service.ServicePort.protocol": "TCP UDP SCTP",
    "kube_pod.ContainerPort.protocol": "TCP UDP SCTP",
}


_OWNERS = (
    ("kube_", "Kubernetes"),
    ("http_route", "the Gateway API"),
    ("gateway_api", "the Gateway API"),
    ("grpc_route", "the Gateway API"),
    ("connection_routes", "the Gateway API"),
    ("v1alpha2", "Istio 0.4"),
)
"""By the prefix of the module's name; all other modules are Istio's."""


def owner_of(model: type) -> str:
    """The API that the model's fields belong to: ``Istio``, ``Istio 0.4``, ``Kubernetes``, ..."""
    module = _module_of(model)
    return next((owner for prefix, owner in _OWNERS if module.startswith(prefix)), "Istio")


_HEADERS = {
    "appendHeaders": "write headers.request.add instead",
    "appendRequestHeaders": "write headers.request.add instead",
    "removeRequestHeaders": "write headers.request.remove instead",
    "appendResponseHeaders": "write headers.response.add instead",
    "removeResponseHeaders": "write headers.response.remove instead",
}
_NOT_NEEDED = "leave it out: every route takes the upgrade"
_REMOVED: Mapping[str, Mapping[str, str]] = {
    "virtual_service.HTTPRoute": {**_HEADERS, "websocketUpgrade": _NOT_NEEDED},
    "virtual_service_route.HTTPRouteDestination": _HEADERS,
    "virtual_service_route.Abort": {"percent": "write percentage.value instead"},
}
"""Fields that Istio has removed, so that no cluster takes them either, each with a remedy."""


def remedy_of_removed(model: type, field: str) -> str:
    """What to do about a field that the API has removed; empty for one that still exists."""
    return _REMOVED.get(f"{_module_of(model)}.{model.__name__}", {}).get(field, "")


def fields_of(model: type) -> frozenset[str]:
    """Every field of the API's object, as far as the table lists them."""
    return frozenset(FIELDS.get(f"{_module_of(model)}.{model.__name__}", "").split())


def values_of(model: type, field: str) -> frozenset[str]:
    """Every value of the API's field, as far as the table lists them."""
    return frozenset(VALUES.get(key_of(model, field), "").split())


def key_of(model: type, field: str) -> str:
    """A field's key in tables: ``virtual_service.HTTPRoute.match``."""
    return f"{_module_of(model)}.{model.__name__}.{field}"


def _module_of(model: type) -> str:
    return model.__module__.rpartition(".")[2]
