"""AuthorizationPolicies with the action CUSTOM: Envoy asks an external authorization server.

Istio: pilot/pkg/security/authz/builder. An RBAC filter without effect notes in the dynamic metadata
which rule matches, and the ext_authz filter asks about the requests that have such a note. Both are
part of the listener, before tokens and other policies. Where a workload's policies name several
providers, an unknown one, or one of an unknown service, what they match is denied.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.model.extension_providers import ExtAuthzGrpc, ExtAuthzHttp, RequestBody
from meshproof.translate import rbac
from meshproof.translate.authz_conditions import AuthzContext
from meshproof.translate.proto import Json, build_extension, seconds
from meshproof.translate.provider_hosts import Provider, Providers

RULES_FILTER = "envoy.filters.http.rbac.custom"
FILTER = "envoy.filters.http.ext_authz"
TYPE = "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"
METADATA, POLICY_ID = "envoy.filters.http.rbac", "istio_ext_authz_shadow_effective_policy_id"
"""Where the RBAC filter notes the rule that matches."""
_NETWORK_METADATA = "envoy.filters.network.rbac"
_NETWORK_FILTER = "envoy.filters.network.ext_authz"
_NETWORK_TYPE = "envoy.extensions.filters.network.ext_authz.v3.ExtAuthz"
PREFIX = "istio-ext-authz"
_STAT_PREFIX = "istio_ext_authz_"
_BAD = "-deny-due-to-bad-CUSTOM-action"
_TIMEOUT = 600.0
"""Seconds that a check may take where the provider does not say (timeoutOrDefault)."""


def build_http_filters(
    policies: rbac.Policies, context: AuthzContext, providers: Providers
) -> list[Json]:
    """The filters of an HTTP port; none without a policy with this action."""
    custom = _custom(policies)
    if not custom:
        return []
    rules = _build_rules(custom, context)
    provider = _provider_of(custom, providers)
    if provider is None:
        return [build_extension(RULES_FILTER, rbac.HTTP_TYPE, rules=_deny(rules))]
    return [
        build_extension(
            RULES_FILTER,
            rbac.HTTP_TYPE,
            shadow_rules=rules,
            shadow_rules_stat_prefix=_STAT_PREFIX,
        ),
        build_extension(FILTER, TYPE, **_build_check(provider)),
    ]


def build_network_filters(
    policies: rbac.Policies, context: AuthzContext, providers: Providers
) -> list[Json]:
    """The filters of a TCP port, which a provider by HTTP does not guard, as in Istio."""
    custom = _custom(policies)
    if not custom:
        return []
    rules, provider = _build_rules(custom, context), _provider_of(custom, providers)
    common = {"stat_prefix": "tcp."}
    if provider is None:
        fields = {**common, "rules": _deny(rules)}
        return [build_extension(rbac.NETWORK_FILTER, rbac.NETWORK_TYPE, **fields)]
    spec = provider.spec.envoy_ext_authz_grpc
    if spec is None:
        return []
    shadow = {**common, "shadow_rules": rules, "shadow_rules_stat_prefix": _STAT_PREFIX}
    check = {
        **common,
        "failure_mode_allow": spec.fail_open,
        "transport_api_version": "V3",
        "grpc_service": _grpc_service(provider, spec),
        "filter_enabled_metadata": _only_noted(_NETWORK_METADATA),
    }
    return [
        build_extension(rbac.NETWORK_FILTER, rbac.NETWORK_TYPE, **shadow),
        build_extension(_NETWORK_FILTER, _NETWORK_TYPE, **check),
    ]


def _custom(policies: rbac.Policies) -> rbac.Policies:
    return [p for p in policies if p.spec.action == "CUSTOM"]


def _build_rules(policies: rbac.Policies, context: AuthzContext) -> Json:
    """Of policies in force; a dry run of this action has no effect at all."""
    in_force = [p for p in policies if not p.dry_run]
    return rbac.build_rules(in_force, "DENY", context, f"{PREFIX}-")


def _deny(rules: Json) -> Json:
    policies = {f"{name}{_BAD}": rule for name, rule in rules["policies"].items()}
    return {**rules, "policies": policies}


def _provider_of(policies: rbac.Policies, providers: Providers) -> Provider | None:
    names = {p.spec.provider.name for p in policies if p.spec.provider is not None}
    provider = providers.get(names.pop()) if len(names) == 1 else None
    if provider is None or not provider.cluster:
        return None
    spec = provider.spec
    return provider if spec.envoy_ext_authz_http or spec.envoy_ext_authz_grpc else None


def _build_check(provider: Provider) -> Json:
    http, grpc = provider.spec.envoy_ext_authz_http, provider.spec.envoy_ext_authz_grpc
    config: Json = {
        "transport_api_version": "V3",
        "filter_enabled_metadata": _only_noted(METADATA),
    }
    if http is not None:
        config["http_service"] = _http_service(provider, http)
        headers = http.include_request_headers_in_check or http.include_headers_in_check
        if headers:
            config["allowed_headers"] = _patterns(headers)
    elif grpc is not None:
        config["grpc_service"] = _grpc_service(provider, grpc)
    return config | _common(http or grpc)


def _common(spec: ExtAuthzHttp | ExtAuthzGrpc | None) -> Json:
    config: Json = {}
    if spec is None:
        return config
    if spec.status_on_error:
        config["status_on_error"] = {"code": int(spec.status_on_error)}
    if spec.fail_open:
        config["failure_mode_allow"] = True
    if spec.clear_route_cache:
        config["clear_route_cache"] = True
    if spec.include_request_body_in_check is not None:
        config["with_request_body"] = _body(spec.include_request_body_in_check)
    return config


def _http_service(provider: Provider, spec: ExtAuthzHttp) -> Json:
    service: Json = {
        "path_prefix": spec.path_prefix,
        "server_uri": {
            "uri": f"http://{provider.host}",
            "cluster": provider.cluster,
            "timeout": seconds(_TIMEOUT if spec.timeout is None else spec.timeout),
        },
    }
    if added := sorted(spec.include_additional_headers_in_check.items()):
        headers = [{"key": name, "value": value} for name, value in added]
        service["authorization_request"] = {"headers_to_add": headers}
    response = {
        "allowed_upstream_headers": spec.headers_to_upstream_on_allow,
        "allowed_client_headers": spec.headers_to_downstream_on_deny,
        "allowed_client_headers_on_success": spec.headers_to_downstream_on_allow,
    }
    if any(response.values()):
        service["authorization_response"] = {
            name: _patterns(headers) for name, headers in response.items() if headers
        }
    return service


def _grpc_service(provider: Provider, spec: ExtAuthzGrpc) -> Json:
    return {
        "envoy_grpc": {"cluster_name": provider.cluster, "authority": provider.host},
        "timeout": seconds(_TIMEOUT if spec.timeout is None else spec.timeout),
    }


def _body(body: RequestBody) -> Json:
    return {
        "max_request_bytes": body.max_request_bytes,
        "allow_partial_message": body.allow_partial_message,
        "pack_as_bytes": body.pack_as_bytes,
    }


def _patterns(headers: Iterable[str]) -> Json:
    return {"patterns": [_pattern(header) for header in headers]}


def _pattern(header: str) -> Json:
    if header.startswith("*"):
        return {"suffix": header[1:], "ignore_case": True}
    if header.endswith("*"):
        return {"prefix": header[:-1], "ignore_case": True}
    return {"exact": header, "ignore_case": True}


def _only_noted(metadata: str) -> Json:
    """Ask only about what a rule matched."""
    return {
        "filter": metadata,
        "path": [{"key": POLICY_ID}],
        "value": {"string_match": {"prefix": PREFIX}},
    }
