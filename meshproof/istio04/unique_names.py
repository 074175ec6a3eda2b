"""Names for generated resources that collide with no name that a user wrote."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class UniqueNames:
    """Hands out names that nothing has yet, so that a generated resource replaces none."""

    claimed: set[tuple[str, str, str]]

    def claim(self, kind: str, namespace: str, preferred: str) -> str:
        """``preferred``, or ``preferred-v1alpha2``, or that with a number."""
        name, count = preferred, 1
        while (kind, namespace, name) in self.claimed:
            name = f"{preferred}-v1alpha2" if count == 1 else f"{preferred}-v1alpha2-{count}"
            count += 1
        self.claimed.add((kind, namespace, name))
        return name
