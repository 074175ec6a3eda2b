"""Sizes that two places have to agree on."""

THREADS = 16
"""Requests a process works on at once; as many pooled connections go upstream."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open. More than the 60 s after which clients and sidecars
give up on theirs: whoever opened a connection closes it, or a request can meet a closing one."""

MAX_TEXT = 256
"""Characters of a message or a name: 12 bytes each when percent-encoded fit a request line."""

MAX_ID = 128
MAX_BODY_BYTES = 64 * 1024
