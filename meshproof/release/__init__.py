"""A canary with a judge: moves weight to a new version by steps, as far as the evidence allows.

``compare``   two versions' calls, side by side: exact and rank tests (pure)
``judge``     one look at the evidence: go on, roll back, keep watching (pure)
``course``    the steps, and where a release stands (pure)
``weights``   the weights inside a VirtualService (pure)
``ledger``    the file by which a killed release is taken up again
``conduct``   the loop that does it on a running mesh
``characteristics``  how often the judge errs, by simulation

docs/release.md says how to use it and how often it is wrong.
"""
