"""Where the embedded mesh differs from Istio, and why: by field, and for what has no field.

A key of DIFFERENCES is ``<module>.<Model>.<field>``: a module of ``meshproof.model``, one of its
models, and the field in YAML's spelling. Cases of conformance/known.yaml quote GENERAL's sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.fidelity.extension_differences import EXTENSIONS
from tools.fidelity.telemetry_differences import TELEMETRY

_TARGET = (
    "for a Gateway of the Gateway API alone: there are no waypoints, and sidecars ignore such a "
    "policy, as in Istio"
)
_OUTSIDE = (
    "only declared outside hosts (outside: in meshproof.yaml) and the mesh's own pods and Services "
    "can be reached; any other address is answered with 503 no healthy upstream, like a name in "
    "Istio that does not resolve"
)
_INGRESS = "from the ConfigMap or an IstioOperator; in meshproof.yaml it has no effect"
_INGRESS_FIELDS = ("ingressClass", "ingressControllerMode", "ingressSelector", "ingressService")

DIFFERENCES: Mapping[str, str] = {
    "virtual_service.VirtualService.tls": (
        "without pods for tunnels (CONNECT) to TLS ports: sniHosts are compared with the host of "
        "the tunnel, not with the SNI inside it. In pods and at a gateway the SNI decides, as in "
        "Istio"
    ),
    "virtual_service.VirtualService.tcp": (
        "without pods for tunnels (CONNECT) to TCP and TLS ports, and for TCP servers of gateways"
    ),
    "destination_rule.TrafficPolicy.tunnel": "refused without pods",
    "destination_rule.LoadBalancer.simple": (
        "PASSTHROUGH picks a replica of the service at random, as kube-proxy does; the address "
        "that the client chose itself is not known"
    ),
    "mesh_config.MeshConfig.discoverySelectors": (
        "as in Istio; in pods the name of a Service that is not read does not resolve"
    ),
    **{f"mesh_config.MeshConfig.{name}": _INGRESS for name in _INGRESS_FIELDS},
    "kube_ingress.IngressSpec.rules": (
        "as Istio's ingress controller takes them; without an IngressClass of controller "
        "istio.io/ingress-controller or the annotation kubernetes.io/ingress.class an Ingress has "
        "no effect, as in Istio"
    ),
    "kube_endpoints.EndpointSlice.endpoints": _OUTSIDE,
    "kube_endpoints.Endpoints.subsets": _OUTSIDE,
    "workload_entry.WorkloadEntry.network": "no effect: there is one network",
    "workload_entry.WorkloadEntry.serviceAccount": (
        "no effect: an outside address presents no mesh identity"
    ),
    "workload_entry.WorkloadEntry.address": _OUTSIDE,
    "service_entry.ServiceEntry.resolution": (
        f"no name is resolved: {_OUTSIDE}. NONE and DYNAMIC_DNS lead to the declared host that the "
        "request names. A wildcard host stands for every declared host within it, and each of "
        "those is a destination too"
    ),
    "service_entry.ServiceEntry.addresses": (
        "ranges are refused for ports that are not HTTP: a forward proxy is asked for one address "
        "at a time"
    ),
    "service_entry.ServiceEntry.location": (
        "MESH_INTERNAL means mutual TLS to the replicas that workloadSelector selects; outside "
        "addresses have no sidecar, so connections to them are in plain text"
    ),
    "gateway.ServerTLSSettings.credentialName": (
        "without that Secret in the gateway's namespace nothing listens for the server; Istio "
        "listens, and aborts the handshake"
    ),
    "gateway.GatewayServerPort.number": (
        "the port that rules and routes see; the real one differs where that port is taken or "
        "privileged on this machine (`meshproof status`)"
    ),
    "destination_rule.TCPSettings.idleTimeout": (
        "by default an idle connection is closed after 300 s between sidecars, 15 s to outside "
        "hosts and 30 s to the app (Istio: an hour), so that no request meets a closing connection"
    ),
    "destination_rule.HTTPSettings.idleTimeout": "like tcp.idleTimeout",
    "destination_rule.TcpKeepalive.time": "whole seconds; fractions are cut off",
    "destination_rule.TcpKeepalive.interval": "whole seconds; fractions are cut off",
    "destination_rule_tls.ClientTLSSettings.caCertificates": (
        "a file on this machine, like clientCertificate and privateKey; the default authorities "
        "are those of Python's certifi, not those of Istio's image"
    ),
    **{
        f"{policy}.{field}": _TARGET
        for policy in (
            "authorization_policy.AuthorizationPolicy",
            "request_authentication.RequestAuthentication",
            "telemetry.Telemetry",
            "wasm_plugin.WasmPlugin",
        )
        for field in ("targetRef", "targetRefs")
    },
    **EXTENSIONS,
    "request_authentication.JWTRule.issuer": (
        "asked for its keys by OpenID discovery, as by istiod, where it is a declared outside "
        "host; refused by name where it is not"
    ),
    "request_authentication.JWTRule.jwksUri": (
        "fetched by the mesh with istiod's times (every 20 minutes; without keys every token is "
        "401), from declared outside hosts alone; https is verified against the public "
        "authorities and extra.pem of the ConfigMap istio-system/pilot-jwks-extra-cacerts"
    ),
    "authorization_policy.Operation.ports": "the port of the manifests, whatever the real one is",
    "sidecar.IngressListener.defaultEndpoint": (
        "127.0.0.1 and the pod's address are two in pods alone; without pods both are the app's. A "
        "Unix socket is refused"
    ),
    "sidecar.OutboundTrafficPolicy.mode": (
        "ALLOW_ANY reaches declared outside hosts and, in pods, other pods alone"
    ),
    **TELEMETRY,
    "http_route.HTTPRouteSpec.parentRefs": (
        "Gateways, Services and ServiceEntries, as in Istio without a waypoint; a ListenerSet is "
        "refused"
    ),
    "http_route.HTTPRouteSpec.hostnames": "no effect for mesh parents, as in Istio",
    "v1alpha2.RouteRule.websocketUpgrade": (
        "every route takes the upgrade, as in v1; 0.4 refused other requests on such a route"
    ),
    "v1alpha2.SimpleCircuitBreaker.httpMaxRetries": "no effect, as in 0.4: three at a time",
    "v1alpha2.DestinationPolicy.circuitBreaker": (
        "ejection by success rate, which 0.4 left on, is off"
    ),
    "v1alpha2.IstioService.service": (
        "wildcards and addresses are for EgressRules; a RouteRule or DestinationPolicy for one is "
        "refused"
    ),
    "service_entry.ServicePort.protocol": (
        "a port without one is HTTP (443: HTTPS; 25, 53, 3306 and 27017: TCP); Istio sniffs it"
    ),
    "v1alpha2.EgressRule.ports": (
        "requests to the outside have no timeout; 0.4 ended them after 15 s"
    ),
    "kube_pod.PodSpec.hostNetwork": "true is refused: Istio gives such pods no sidecar",
    "kube_service.ServiceSpec.ports": (
        "without pods a port without a protocol (in its name or appProtocol) is HTTP, in the "
        "client's version; in pods it is sniffed, as in Istio. GRPC-WEB is carried "
        "as HTTP/2 and not bridged"
    ),
}

GENERAL: Sequence[tuple[str, Sequence[str]]] = (
    (
        "Interception",
        (
            "Every TCP connection of a pod is captured, as by Istio's iptables rules; names are "
            "resolved, and Services have cluster IPs. UDP other than DNS, and IPv6, are not "
            "carried.",
            "The hosts of ServiceEntries have a name in a pod's DNS. In Istio the cluster's own "
            "DNS must know them, unless ISTIO_META_DNS_CAPTURE is on, which is not the default.",
        ),
    ),
    (
        "Interception without pods",
        (
            "Where the kernel allows no pods, or --no-pods asks for none (docs/pods.md), only "
            "http_proxy intercepts traffic: what an app sends without a proxy (raw TCP, UDP, DNS, "
            "clients that ignore the variable) bypasses its sidecar.",
            "HTTPS and TLS of an app pass through tunnels (CONNECT) to open hosts, by name and "
            "port.",
            "Inside of a tunnel to port 80 of a Service the app sees its Host without a port.",
            "TCP ports are reached by CONNECT to a name or to a Service's own port, never by "
            "address. UDP is not carried.",
            "HTTP/1.0 is accepted on the proxy port, since Python before 3.12 opens tunnels with "
            "it; Istio answers 426.",
            "The names of a Service in another namespace work as in Istio (svcb.shop, "
            "svcb.shop.svc.cluster.local), and so do those of a StatefulSet's pods (db-0.db). No "
            "name is resolved, so a Service has no cluster IP.",
        ),
    ),
    (
        "Pods",
        (
            "A namespace that says nothing has sidecars, unless an IstioOperator says "
            "enableNamespacesByDefault: false (Istio's default). Without pods, a workload whose "
            "injection is off is refused.",
            "A container is the process that the image table names, else its own command. "
            "Those after the first are restarted when they end; only their readiness is probed.",
            "Without pods a container's volumes are below a folder of its own, and paths of mounts "
            "in args, env and exec probes are changed to that folder; containers share an "
            "address, but not localhost.",
            "Pods with init containers start when all others of the change are ready. Files of "
            "claims outlive a replica, but not the mesh.",
            "Files of a ConfigMap or Secret change at once, and so do those of a subPath; in "
            "Kubernetes they change within a minute, and those of a subPath never.",
            "Without a probe an app is ready when it listens, not when it has started.",
            "There are no nodes: a pod has the locality of its label topology.istio.io/locality or "
            "istio-locality, else none, and all pods share one node.",
            "What annotations (traffic.sidecar.istio.io) exclude from a sidecar passes it as "
            "bytes. The app behind an excluded port sees its caller's address, and 127.0.0.6 where "
            "nothing declares the port. Without pods they are refused.",
        ),
    ),
    (
        "Unknown hosts",
        (
            "As in Istio (REGISTRY_ONLY), a host that no Service or ServiceEntry opens is answered "
            "with 502 and an empty body on ports with HTTP services, and the connection is closed "
            "on all others. Without pods it is 502 on any port.",
            "The outboundTrafficPolicy is REGISTRY_ONLY by default; Istio's default is ALLOW_ANY. "
            "ALLOW_ANY opens declared outside hosts and, in pods, the addresses of other pods, and "
            "nothing else: an embedded mesh never leaves this machine.",
        ),
    ),
    (
        "MeshConfig",
        (
            "It is read from the ConfigMap istio-system/istio (key `mesh`), which wins field by "
            "field over an IstioOperator's `meshConfig`, which wins over `meshConfig` of "
            "meshproof.yaml. Its fields are listed with IstioOperator. A change is live at once, "
            "`defaultConfig` included; in Istio pods keep that until they restart.",
            "A workload's own ProxyConfig comes from ProxyConfig resources and from its pods' "
            "annotation proxy.istio.io/config, whose fields are those of defaultConfig. Variables "
            "of the proxy's environment are what a tracing tag may read; those that steer istiod "
            "(ISTIO_META_IDLE_TIMEOUT and the like) are refused.",
            "Every request is traced unless MeshConfig or a Telemetry says less; Istio's default "
            "is 1 %. On a cluster `meshConfig` of meshproof.yaml is refused: apply the ConfigMap.",
        ),
    ),
    (
        "Protocols",
        (
            "HTTP/1.1, HTTP/2, gRPC and WebSocket pass through both sidecars, as plain requests "
            "and in tunnels. WebSocket over HTTP/2 (extended CONNECT) and HTTP/3 do not.",
            "A port named grpc or http2 (or with that appProtocol) takes HTTP/2, from the sidecar "
            "to the app too.",
        ),
    ),
    (
        "Changes",
        (
            "A change is live on every sidecar when `meshproof apply` returns, and no request "
            "fails because of it. In Istio rules arrive at one sidecar after another, and a 503 "
            "meanwhile is possible.",
            "A change that an Envoy refuses is rolled back on all of them, and the call fails; "
            "Istio keeps what that Envoy had, and logs it.",
            "An AuthorizationPolicy is part of the routes and applies to open connections at once; "
            "in Istio such a connection obeys the old policy for one more request. A change of "
            "PeerAuthentication, RequestAuthentication, Telemetry, an EnvoyFilter's filters, or of "
            "policies on a TCP port, replaces listeners: `meshproof apply` returns a second later, "
            "when no connection of the old ones is left; a request that takes longer than that "
            "second is cut off.",
            "After a PeerAuthentication changes from DISABLE to PERMISSIVE, or is deleted, "
            "sidecars keep using open plain-text connections until those have been idle for 300 s; "
            "the server sees no identity of requests on them. STRICT closes them.",
        ),
    ),
    (
        "Traces, metrics, logs",
        (
            "Every request is traced (100 %) unless a Telemetry says otherwise, and the access log "
            "is on, as JSON; in Istio tracing has no provider by default, and the log is off.",
            "Metrics have Istio's names and labels, except for what only Kubernetes knows "
            "(cluster, and the canonical revision beyond the version label). For TCP, connections "
            "and bytes are counted when a connection ends; there is no "
            "istio_tcp_connections_opened_total, and the receiver knows nothing but the identity "
            "of its caller.",
        ),
    ),
    (
        "Addresses",
        (
            "Pods have addresses in 127.0.0.0/8, which XFF and ipBlocks see; no ipBlocks have a "
            "gateway: name its principal. An app's connections come from 127.0.0.6, as in Istio.",
            "Without pods an app that listens on a TCP port instead of the socket that it is given "
            "can be reached by any process on this machine, without its sidecar.",
        ),
    ),
    (
        "Gateways",
        (
            "A gateway workload is one Envoy, however many replicas it asks for. It needs no "
            "image: its Deployment is annotated inject.istio.io/templates: gateway, or its first "
            "container is istio-proxy. istio-ingressgateway is there without a Deployment, and so "
            "is istio-egressgateway as soon as a Gateway selects it.",
            "The Services of those two exist once a Gateway selects them, with ports 80 and 443. A "
            "gateway listens on every port of its Gateways, also beyond its Service's.",
            "Certificates of servers come with the listener. A file is that of a Secret which the "
            "gateway mounts (or which Istio's charts mount: istio-ingressgateway-certs and the "
            "like), else one of this machine.",
        ),
    ),
    (
        "Gateway API",
        (
            "Every Gateway of class istio has one Envoy, its Service and its service account "
            "NAME-istio, unless its address names a gateway that is there. Classes of others and "
            "Istio's waypoint classes have none.",
            "`meshproof status` shows the conditions that Istio would write. A listener whose "
            "certificate is missing does not listen.",
            "In the mesh ReferenceGrants are not needed, as in Istio. Status says ResolvedRefs for "
            "each parent by what holds there.",
        ),
    ),
)
