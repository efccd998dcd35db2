"""Which things hang together by what they have in common: loops of one file, scans of one patient."""

from __future__ import annotations

from collections.abc import Sequence


def joined(keys: Sequence[Sequence[str]]) -> list[int]:
    """For each thing the first one with which it hangs together, by however many steps.

    Args:
        keys: What each has; those that share one hang together.
    """
    group = list(range(len(keys)))
    first: dict[str, int] = {}
    for number, own in enumerate(keys):
        for key in own:
            other, mine = group[first.setdefault(key, number)], group[number]
            group = [min(other, mine) if each in (other, mine) else each for each in group]
    return group
