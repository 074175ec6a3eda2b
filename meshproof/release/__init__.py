"""A canary release with a judge: weight moves as far as the evidence allows.

``compare``     two versions' calls, side by side: exact and rank tests (pure)
``judge``       one look at the evidence: go on, roll back, keep watching (pure)
``state``       the steps, and how far a release has come (pure)
``weights``     the weights inside a VirtualService (pure)
``evidence``    the calls of one step, from the callers' access logs
``journal``     the file from which a killed release is resumed
``start``       a new release, or one that its process left unfinished
``controller``  the loop that runs a release on a mesh

docs/release.md says how to use it, and how often it errs: ``tools.release_simulation`` measures
that.
"""
