"""How long sessions are kept: the rule, without what deletes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retention:
    """How long sessions are kept.

    Attributes:
        days: Those that were changed last so many days ago go; None keeps them.
        most_bytes: All together may be so large, else the oldest go; None: as large as they get.
        unexported: Also those that were never exported.
    """

    days: float | None = None
    most_bytes: int | None = None
    unexported: bool = False
