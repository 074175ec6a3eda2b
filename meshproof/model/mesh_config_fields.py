"""``api_fields`` of MeshConfig, ProxyConfig and IstioOperator (istio/api v1.29)."""

from __future__ import annotations

from collections.abc import Mapping

FIELDS: Mapping[str, str] = {
    "mesh_config.MeshConfig": (
        "proxyListenPort proxyInboundListenPort proxyHttpPort connectTimeout hboneIdleTimeout "
        "protocolDetectionTimeout tcpKeepalive ingressClass ingressService "
        "ingressControllerMode ingressSelector enableTracing accessLogFile accessLogFormat "
        "accessLogEncoding enableEnvoyAccessLogService disableEnvoyListenerLog defaultConfig "
        "outboundTrafficPolicy inboundTrafficPolicy configSources enableAutoMtls trustDomain "
        "trustDomainAliases caCertificates defaultServiceExportTo defaultVirtualServiceExportTo "
        "defaultDestinationRuleExportTo rootNamespace localityLbSetting dnsRefreshRate "
        "h2UpgradePolicy inboundClusterStatName outboundClusterStatName certificates "
        "serviceSettings serviceScopeConfigs enablePrometheusMerge verifyCertificateAtClient ca "
        "extensionProviders defaultProviders discoverySelectors pathNormalization "
        "defaultHttpRetryPolicy meshMTLS tlsDefaults"
    ),
    "proxy_config.ProxyConfig": (
        "configPath binaryPath serviceCluster tracingServiceName drainDuration discoveryAddress "
        "discoveryRefreshDelay zipkinAddress statsdUdpAddress envoyMetricsServiceAddress "
        "proxyAdminPort availabilityZone controlPlaneAuthPolicy customConfigFile statNameLength "
        "concurrency proxyBootstrapTemplatePath interceptionMode tracing sds "
        "envoyAccessLogService envoyMetricsService proxyMetadata runtimeValues statusPort "
        "extraStatTags gatewayTopology terminationDrainDuration meshId readinessProbe "
        "proxyStatsMatcher holdApplicationUntilProxyStarts caCertificatesPem image "
        "privateKeyProvider proxyHeaders fileFlushInterval fileFlushMinSizeKb statsCompression"
    ),
    "proxy_config.GatewayTopology": ("numTrustedProxies forwardClientCertDetails proxyProtocol"),
    "proxy_config.ProxyTracing": (
        "zipkin lightstep datadog stackdriver openCensusAgent customTags maxPathTagLength "
        "sampling tlsSettings enableIstioTags"
    ),
    "proxy_config.ProxyHeaders": (
        "forwardedClientCert setCurrentClientCertDetails requestId server attemptCount "
        "envoyDebugHeaders metadataExchangeHeaders preserveHttp1HeaderCase xForwardedHost "
        "xForwardedPort"
    ),
    "mesh_config.PathNormalization": "normalization",
    "proxy_config_resource.ProxyConfigResource": (
        "selector concurrency environmentVariables image"
    ),
    "istio_operator.IstioOperator": (
        "profile installPackagePath hub tag namespace revision meshConfig components values "
        "unvalidatedValues compatibilityVersion addonComponents"
    ),
    "istio_operator.InstallValues": (  # operator/pkg/apis/values_types.proto
        "cni gateways global pilot ztunnel telemetry sidecarInjectorWebhook istio_cni revision "
        "meshConfig base istiodRemote revisionTags defaultRevision profile compatibilityVersion "
        "experimental"
    ),
    "istio_operator.SidecarInjectorWebhook": (
        "neverInjectSelector alwaysInjectSelector enableNamespacesByDefault "
        "injectedAnnotations injectionURL templates defaultTemplates reinvocationPolicy "
        "rewriteAppHTTPProbe"
    ),
}

VALUES: Mapping[str, str] = {
    "mesh_config.InboundTrafficPolicy.mode": "PASSTHROUGH LOCALHOST",
    "proxy_config.ProxyConfig.interceptionMode": "REDIRECT TPROXY NONE",
    "proxy_config.ProxyConfig.controlPlaneAuthPolicy": "NONE MUTUAL_TLS",
}
