"""Checks of `istioctl analyze` that no rule of ours had a reason for; see ``rules``."""

from __future__ import annotations

from meshproof.lint import defaults, envoy_filters, gateways, overlaps, services, workloads
from meshproof.lint.rule import LintRule

ANALYZER_RULES = (
    LintRule(
        "envoyfilter-idle",
        "a patch whose operation does nothing with its applyTo (IST0152 to IST0154)",
        envoy_filters.find_idle_patches,
    ),
    LintRule(
        "envoyfilter-port-unknown",
        "a patch of a virtual host by a port that no selected workload has",
        envoy_filters.find_unknown_ports,
    ),
    LintRule(
        "envoyfilter-unordered",
        "a relative patch without a priority beside other EnvoyFilters (IST0151, IST0155)",
        envoy_filters.find_unordered_patches,
        hint=True,
    ),
    LintRule(
        "selectors-overlap",
        "two Sidecars or Telemetries that select one pod (IST0110, IST0159)",
        overlaps.find_overlapping_selectors,
    ),
    LintRule(
        "gateway-bypasses-rule",
        "a Gateway's rule that leads past another rule's subsets (IST0140)",
        overlaps.find_bypassed_rules,
        hint=True,
    ),
    LintRule(
        "gateway-internal",
        "a VirtualService for a Gateway that Istio makes itself (IST0165)",
        gateways.find_internal_gateways,
    ),
    LintRule(
        "service-ports-differ",
        "two Services that lead to one port of a workload from different ports (IST0137)",
        services.find_ports_with_one_target,
        hint=True,
    ),
    LintRule(
        "externalname-not-http",
        "an ExternalName with a port that is not HTTP (IST0150)",
        services.find_aliases_of_bytes,
        hint=True,
    ),
    LintRule(
        "proxy-user",
        "a container with the user of Istio's proxy (IST0144)",
        workloads.find_proxy_users,
    ),
    LintRule(
        "namespace-ambiguous",
        "a Namespace with several labels of injection (IST0123)",
        workloads.find_ambiguous_namespaces,
    ),
    LintRule(
        "metadata-idle",
        "a label or annotation of Istio's without effect (IST0107, IST0108)",
        workloads.find_idle_metadata,
        hint=True,
    ),
    LintRule(
        "field-deprecated",
        "a field that Istio has replaced (IST0002)",
        defaults.find_replaced_fields,
        hint=True,
    ),
    LintRule(
        "tls-public-authorities",
        "TLS to a host without caCertificates (IST0128, IST0129)",
        defaults.find_default_authorities,
        hint=True,
    ),
    LintRule(
        "log-without-provider",
        "an access log without a provider (IST0157)",
        defaults.find_logs_without_provider,
        hint=True,
    ),
)
