"""The embedded mesh against what a real Istio did: ``python -m conformance``.

``recorded/`` holds manifests, an echo app, a client and cases, as they ran on Istio; they are
replayed here, and every answer is compared with the recorded one.
"""
