"""Mutants that a person read and found to do nothing that anybody could notice, each with the reason."""

from __future__ import annotations

from typing import Final

from tests.mutations.mutants import Mutant

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {}
"""By path, old and new text of a mutant."""


def is_equivalent(mutant: Mutant) -> bool:
    """Whether it stands in the list."""
    return (mutant.path, mutant.old, mutant.new) in EQUIVALENT
