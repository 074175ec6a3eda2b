"""EnvoyFilters in general: patches of Envoy's configuration, as Istio applies them. Pure."""
