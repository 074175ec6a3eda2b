"""Where the embedded mesh is not as Istio is, and why: fields by model, and whatever has no field.

A key is ``<module>.<Model>.<field>`` in YAML's spelling. Cases of conformance/known.yaml quote the
sentences of ``GENERAL``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_LOCALITY = "changes nothing: replicas have no locality, as pods of nodes without region labels"
_ATTACHED = (
    "such a policy is for waypoints and Gateways of the Gateway API, which are not here; sidecars "
    "pass it over, as in Istio"
)
_OUTSIDE = (
    "reaches declared outside hosts only (meshproof.yaml, outside:); any other address answers 503 "
    "no healthy upstream, as a name that does not resolve does in Istio"
)

DIFFERENCES: Mapping[str, str] = {
    "virtual_service.VirtualService.tls": (
        "tunnels (CONNECT) to ports of TLS: sniHosts are compared with the name that the tunnel "
        "is asked for, not with the SNI inside it; nothing at gateways"
    ),
    "virtual_service.VirtualService.tcp": (
        "tunnels (CONNECT) to ports of TCP and TLS; nothing at gateways"
    ),
    "destination_rule.LoadBalancer.simple": (
        "PASSTHROUGH is a replica of the service at random, as kube-proxy takes it; of an "
        "address that the client chose itself nothing is known here"
    ),
    "destination_rule.LocalityLoadBalancerSetting.enabled": _LOCALITY,
    "destination_rule.LocalityLoadBalancerSetting.distribute": _LOCALITY,
    "destination_rule.LocalityLoadBalancerSetting.failover": _LOCALITY,
    "workload_entry.WorkloadEntry.locality": _LOCALITY,
    "workload_entry.WorkloadEntry.network": "changes nothing: there is one network",
    "workload_entry.WorkloadEntry.serviceAccount": (
        "changes nothing: an outside address shows no mesh identity"
    ),
    "workload_entry.WorkloadEntry.address": _OUTSIDE,
    "service_entry.ServiceEntry.resolution": "whatever it says, names are not resolved: it "
    + _OUTSIDE
    + ". NONE and DYNAMIC_DNS lead to the declared host that the request names; a wildcard host is "
    "every declared host within it, and each of them is a destination too",
    "service_entry.ServiceEntry.addresses": (
        "ranges are refused for ports that are not HTTP: a forward proxy is asked for one "
        "address at a time"
    ),
    "service_entry.ServiceEntry.location": (
        "MESH_INTERNAL is mutual TLS towards replicas that workloadSelector picks; outside "
        "addresses have no sidecar, so they are spoken to in plain"
    ),
    "gateway.ServerTLSSettings.credentialName": (
        "without that Secret in istio-system nothing listens at the port; Istio listens, and "
        "closes the handshake"
    ),
    "gateway.GatewayServerPort.number": (
        "is the port of rules and routes; the real one differs where this machine has it taken "
        "or privileged (`meshproof url gateway`)"
    ),
    "destination_rule.TCPSettings.idleTimeout": (
        "without it an idle connection ends after 300 s between sidecars, 15 s towards outside "
        "hosts, 30 s towards the app (Istio: an hour), so that no request meets a closing one"
    ),
    "destination_rule.HTTPSettings.idleTimeout": "as tcp.idleTimeout",
    "destination_rule.TcpKeepalive.time": "whole seconds: the rest is cut off",
    "destination_rule.TcpKeepalive.interval": "whole seconds: the rest is cut off",
    "destination_rule_tls.ClientTLSSettings.caCertificates": (
        "is a file of this machine, like clientCertificate and privateKey; without it the "
        "authorities are those of Python's certifi, not those of Istio's image"
    ),
    **{
        f"{policy}.{field}": _ATTACHED
        for policy in (
            "authorization_policy.AuthorizationPolicy",
            "request_authentication.RequestAuthentication",
            "telemetry.Telemetry",
        )
        for field in ("targetRef", "targetRefs")
    },
    "envoy_filter.EnvoyFilter.configPatches": (
        "one shape alone, that of Istio's task for local rate limits "
        "(rules/svca_takes_so_many_a_second.yaml); two EnvoyFilters that may select one "
        "workload are refused. A bucket is a port's, full again when its rules change; in Istio "
        "each filter chain of the port (mutual TLS, plain) has its own"
    ),
    "envoy_filter_rate_limit.RuntimeFraction.runtime_key": "changes nothing: no runtime sets it",
    "request_authentication.JWTRule.issuer": (
        "is never asked for its keys: without jwks and jwksUri a rule is refused; Istio would "
        "look for them by OpenID discovery"
    ),
    "request_authentication.JWTRule.jwksUri": (
        "plain http to a declared outside host, fetched by each sidecar itself; https is "
        "refused by name (put the keys in jwks). In Istio, istiod fetches them"
    ),
    "authorization_policy.Condition.key": "experimental.envoy.filters.* is refused",
    "authorization_policy.Operation.ports": (
        "the port as manifests have it, whatever the real one is"
    ),
    "sidecar.OutboundTrafficPolicy.mode": "ALLOW_ANY reaches declared outside hosts only",
    "telemetry.TracingProvider.name": "whatever it says, spans go to the mesh's own store",
    "telemetry.LogProvider.name": "envoy alone; the log has meshproof's own JSON format",
    "telemetry.LogFilter.expression": (
        "is read by the Envoys: a bad one is put back on all, and the call fails, with Envoy's "
        "words rather than file and line"
    ),
    "http_route.HTTPRouteSpec.parentRefs": (
        "Services and ServiceEntries, as Istio takes them without a waypoint; parents of kind "
        "Gateway are refused"
    ),
    "http_route.HTTPRouteSpec.hostnames": "mean nothing for mesh parents, as in Istio",
    "v1alpha2.RouteRule.websocketUpgrade": (
        "the upgrade is taken on every route, as in v1; 0.4 refused other requests on such a route"
    ),
    "v1alpha2.SimpleCircuitBreaker.httpMaxRetries": "has no effect, as in 0.4: three at a time",
    "v1alpha2.DestinationPolicy.circuitBreaker": (
        "ejection by success rate, which 0.4 left on, is off"
    ),
    "v1alpha2.EgressRule.ports": "requests to the outside have no timeout; 0.4 cut them after 15 s",
    "kube_service.ServiceSpec.ports": (
        "a port that says no protocol (name, appProtocol) is HTTP, in the version that the "
        "client speaks; Istio sniffs it, bytes included. GRPC-WEB is carried as HTTP/2 and not "
        "bridged"
    ),
}

GENERAL: Sequence[tuple[str, Sequence[str]]] = (
    (
        "Interception",
        (
            "Traffic is intercepted by http_proxy alone: what an app sends without a proxy (raw "
            "TCP, UDP, DNS, clients told not to) does not pass its sidecar. Istio's iptables take "
            "every TCP connection.",
            "HTTPS and TLS of an app pass as tunnels (CONNECT) to hosts that are open, by name "
            "and port.",
            "TCP ports are reached by CONNECT to a name or to a Service's own port, never by "
            "address; UDP not at all.",
            "HTTP/1.0 is accepted on the proxy port, since Python before 3.12 asks for tunnels "
            "with it; Istio answers 426.",
            "Names of a Service in another namespace work as in Istio (svcb.shop, "
            "svcb.shop.svc.cluster.local), those of a StatefulSet's pods too (db-0.db); nothing "
            "is resolved, so a Service has no cluster IP.",
        ),
    ),
    (
        "Pods",
        (
            "A container is the process that the image table names. Its volumes lie below a "
            "folder of its own; paths of mounts in args, env and exec probes are led there.",
            "Containers of one pod share an address, not localhost. Those beside the first are "
            "started again when they end; only their readiness is asked.",
            "Pods with init containers start when all others of the change are served. Files of "
            "claims outlive a replica, not the mesh.",
            "Files of a ConfigMap or Secret change at once, those of a subPath too; in Kubernetes "
            "within a minute, and a subPath never.",
            "Without a probe an app is ready when it listens, not when it has started.",
        ),
    ),
    (
        "Unknown hosts",
        (
            "A host that no Service or ServiceEntry opens is answered with 502 and an empty body, "
            "on any port. Istio (REGISTRY_ONLY) does so on ports with HTTP services, and closes "
            "the connection on all others.",
            "The mesh's own outboundTrafficPolicy is REGISTRY_ONLY; Istio's default is ALLOW_ANY. "
            "A Sidecar with ALLOW_ANY lets declared outside hosts pass, and no other: an embedded "
            "mesh never leaves this machine.",
        ),
    ),
    (
        "Protocols",
        (
            "HTTP/1.1, HTTP/2, gRPC and WebSocket are carried through both sidecars, in plain "
            "requests and in tunnels; WebSocket over HTTP/2 (extended CONNECT) and HTTP/3 are not.",
            "A port named grpc or http2 (or appProtocol) is spoken to with HTTP/2, to the app too.",
        ),
    ),
    (
        "Changes",
        (
            "A change is live on every sidecar when `meshproof apply` returns, and no request "
            "fails for it; in Istio rules arrive one sidecar at a time, and a 503 on the way is "
            "possible.",
            "A change that an Envoy refuses is put back on all of them, and the call fails; Istio "
            "keeps what the Envoy had, and says so in its log.",
            "An AuthorizationPolicy or a local rate limit travels with the routes and holds on "
            "open connections at once; in Istio such a connection obeys the old policy for one "
            "request more. A change of "
            "PeerAuthentication, RequestAuthentication, Telemetry, or of policies on a TCP port, "
            "replaces listeners: `meshproof apply` returns a second later, when no connection by "
            "the old ones is left; a request that takes longer than that second is cut off.",
            "After a PeerAuthentication went from DISABLE to PERMISSIVE or away, sidecars keep "
            "using the plain connections that are open, until those have been idle for 300 s; of "
            "requests on them the server sees no identity. STRICT ends them.",
            "The annotation istio.io/dry-run is refused: such a policy would be enforced.",
        ),
    ),
    (
        "Traces, metrics, logs",
        (
            "Every request is traced (100 %) unless a Telemetry says otherwise, and the access log "
            "is on, as JSON; in Istio tracing has no provider by default, and the log is off.",
            "Metrics have Istio's names and labels, but for what only Kubernetes knows (cluster, "
            "canonical revision beyond the version label). Of TCP, connections and bytes are "
            "counted when a connection ends; istio_tcp_connections_opened_total is not there, and "
            "its receiver knows the caller's identity alone.",
        ),
    ),
    (
        "Addresses",
        (
            "Replicas listen on loopback addresses; XFF, remote addresses and ipBlocks see those. "
            "An app that listens on a TCP port rather than the socket it is given can be reached "
            "past its sidecar by whoever is on this machine.",
        ),
    ),
    (
        "Gateway API",
        (
            "HTTPRoute with mesh parents only; the conditions that Istio would write are shown by "
            "`meshproof status`. ReferenceGrants are not asked for, as Istio asks for none in the "
            "mesh.",
        ),
    ),
)
