"""A DestinationRule's load balancer, as ``validateLoadBalancer`` judges it."""

from __future__ import annotations

from itertools import combinations

from meshproof.model.validation.node import Node, Violations
from meshproof.model.validation.values import check_durations

_MAX_TABLE = 5000011
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_TOPOLOGY_LABELS = (*_TOPOLOGY, "topology.istio.io/subzone")


def check_load_balancer(balancer: Node, *, has_outlier_detection: bool) -> Violations:
    if balancer.has("simple") and balancer.has("consistentHash"):
        yield balancer.refuse("has both simple and consistentHash", "one of them")
    yield from _check_consistent_hash(balancer.get("consistentHash"))
    setting = balancer.get("localityLbSetting")
    yield from _check_locality(setting, has_outlier_detection=has_outlier_detection)
    yield from check_durations(balancer, "warmupDurationSecs")
    warmup = balancer.get("warmup")
    if not warmup.is_set:
        return
    if not warmup.has("duration"):
        yield warmup.get("duration").refuse("is missing", "a duration")
    yield from check_durations(warmup, "duration")
    if warmup.get("minimumPercent").number > 100:
        yield warmup.get("minimumPercent").refuse("is more than 100", "0 to 100")
    if warmup.has("aggression") and warmup.get("aggression").number < 1:
        yield warmup.get("aggression").refuse("is less than 1", "1 or more")


def _check_consistent_hash(hashing: Node) -> Violations:
    cookie, table = hashing.get("httpCookie"), hashing.get("maglev", "tableSize")
    if cookie.is_set and not cookie.get("name").text:
        yield cookie.get("name").refuse("is missing", "the cookie's name")
    names: set[str] = set()
    for attribute in cookie.items("attributes"):
        name = attribute.get("name")
        if not name.text:
            yield name.refuse("is missing", "the attribute's name")
        elif name.text in names:
            yield name.refuse(f"{name.text} is set twice", "each attribute once")
        names.add(name.text)
    ring = hashing.get("minimumRingSize")
    if ring.number:
        yield ring.warn("is deprecated", "ringHash.minimumRingSize")
        if hashing.has("ringHash", "maglev"):
            yield ring.refuse("is set beside ringHash or maglev", "one of them")
    if not hashing.has("maglev"):
        return
    if not table.number:
        yield table.refuse("is missing" if not table.is_set else "is 0", "a prime number")
    elif table.number >= _MAX_TABLE:
        yield table.refuse(f"is {table.number:g}", f"less than {_MAX_TABLE}")
    elif not _is_prime(int(table.number)):
        yield table.refuse(f"{table.number:g} is not a prime number", "one, as Envoy does")


def _is_prime(number: int) -> bool:
    """``isPrime``, which takes 1 as Envoy does."""
    if number < 4:
        return number > 0
    return all(number % factor for factor in (2, *range(3, int(number**0.5) + 1, 2)))


def _check_locality(setting: Node, *, has_outlier_detection: bool) -> Violations:
    """``ValidateLocalityLbSetting``."""
    distribute, failover = setting.items("distribute"), setting.items("failover")
    priority = setting.items("failoverPriority")
    if distribute and failover:
        yield setting.get("failover").refuse("is set beside distribute", "one of them")
        return
    for label in priority if failover else ():
        if label.text in _TOPOLOGY_LABELS:
            yield label.refuse(f"{label.text} is set beside failover", "one of them")
    yield from _check_localities([entry.get("from") for entry in distribute])
    for entry in distribute:
        weights = [weight for _, weight in entry.entries("to")]
        for weight in weights:
            if not 1 <= weight.number <= 100:
                yield weight.refuse(f"is {weight.number:g}", "1 to 100")
        total = sum(weight.number for weight in weights)
        if total != 100:
            yield entry.get("to").refuse(f"adds up to {total:g}", "100")
        yield from _check_localities([Node(name, node.path) for name, node in entry.entries("to")])
    if (failover or priority) and setting.is_set and not has_outlier_detection:
        yield setting.warn(
            "fails over by outlierDetection alone, and there is none", "outlierDetection beside it"
        )
    for entry in failover:
        names = (entry.get("from").text, entry.get("to").text)
        if names[0] == names[1]:
            yield entry.refuse(f'leads from "{names[0]}" to itself', "another region")
        if any(mark in name for name in names for mark in "/*"):
            yield entry.refuse("names more or less than a region", "regions, without / and *")


def _check_localities(localities: list[Node]) -> Violations:
    """``validateLocalities``: region/zone/subzone, with at most a ``*`` at the end, no overlap."""
    for locality in localities:
        if "*" in locality.text[:-1]:
            yield locality.refuse(f'"{locality.text}" has a * before its end', "it at the end")
        elif not all(locality.text.split("/", 2)):
            yield locality.refuse(f'"{locality.text}" has an empty part', "REGION/ZONE/SUBZONE")
    for earlier, later in combinations(localities, 2):
        if _overlap(earlier.text, later.text):
            yield later.refuse(f'"{later.text}" overlaps with "{earlier.text}"', "each place once")


def _overlap(earlier: str, later: str) -> bool:
    """A ``*`` of the earlier one covers what follows; a ``*`` of the later one is a name."""
    for one, other in zip(earlier.split("/", 2), later.split("/", 2), strict=False):
        if one == "*":
            return True
        if one != other:
            return False
    return True
