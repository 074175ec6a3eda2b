"""Envoy's configuration over ADS: the server, the protobuf codec, the rollout."""
