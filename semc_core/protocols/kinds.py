"""Which scans may be learned from together: those of the same anatomy in the same population.

Corrections of fetal scans and of livers never go into one training set: a model that learns both names, from
pictures that no one scan shows, learns to tell the examinations apart. What was scanned is told by the planes
that a session's model knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from semc_core.errors import UsageError
from semc_core.protocols.concepts import Concept, concepts_among, possible_concepts

Planes = tuple[str, ...]
"""Names of planes, without that of "none of these"."""

_NAMED: Final = 3
"""Planes by which a kind is told from others."""


def same_kind(one: Collection[str], other: Collection[str]) -> bool:
    """Whether models that know these planes scan the same anatomy in the same population.

    Names whose meaning nobody has written down are of one kind where they have a name in common.
    """
    if _populations(one) != _populations(other):
        return False
    mine, theirs = _concepts(one), _concepts(other)
    return not mine.isdisjoint(theirs) if mine and theirs else not set(one).isdisjoint(other)


def surely_apart(one: Collection[str], other: Collection[str]) -> bool:
    """Whether planes of these names are certainly of different anatomies or populations."""
    whose, whose_else = _populations(one), _populations(other)
    mine, theirs = _concepts(one), _concepts(other)
    return bool(
        (whose and whose_else and whose != whose_else) or (mine and theirs and mine.isdisjoint(theirs))
    )


def kinds_of(scans: Iterable[Collection[str]]) -> tuple[Planes, ...]:
    """The kinds among scans, each with all planes that its models know, in the order of the scans.

    A scan whose model knows no plane says nothing of its kind, and makes none.
    """
    kinds: list[Planes] = []
    for planes in scans:
        if not planes:
            continue
        like = [kind for kind in kinds if same_kind(kind, planes)]
        merged = tuple(dict.fromkeys(name for known in (*like, planes) for name in known))
        place = kinds.index(like[0]) if like else len(kinds)
        kinds = [kind for kind in kinds if kind not in like]
        kinds.insert(place, merged)
    return tuple(kinds)


def kind_with(kinds: Sequence[Planes], names: Collection[str]) -> Planes | None:
    """That kind among some whose planes these are, or which has them all, or which a model of them scans.

    None where that is said of none, or of more than one.
    """
    wanted = set(names)
    exact = [kind for kind in kinds if set(kind) == wanted]
    whole = [kind for kind in kinds if wanted <= set(kind)]
    like = [kind for kind in kinds if same_kind(kind, wanted)]
    found = exact or whole or like
    return found[0] if len(found) == 1 else None


def one_kind(scans: Sequence[Collection[str]], names: Collection[str], what: str) -> tuple[bool, ...]:
    """Which of the scans are of one kind: the only one, or that of `names`.

    Args:
        scans: Planes that the model of each knows.
        names: Planes of the kind that is wanted; none where there must be one kind only.
        what: That holds them, for the sentence.

    Returns:
        For each scan whether it is of that kind.

    Raises:
        UsageError: They are of more than one kind, and the sentence names them; or of none that is wanted.
    """
    kinds = kinds_of(scans)
    if not scans:
        return ()
    if len(kinds) > 1 and not names:
        raise UsageError(
            f"{what} holds scans of {len(kinds)} kinds, which no model learns together: {_listed(kinds)}. "
            f"Choose one by a plane of it, as in --of {_own(kinds)}."
        )
    if not names:
        return (True,) * len(scans)
    wanted = kind_with(kinds, names)
    if wanted is None:
        raise UsageError(
            f"{what} holds no scans with {', '.join(sorted(names))}, or more than one kind of them: it has "
            f"{_listed(kinds) or 'none'}. Choose one of these by its planes."
        )
    return tuple(_is_of(planes, wanted) for planes in scans)


def counted_kinds(scans: Iterable[Collection[str]]) -> tuple[tuple[Planes, int], ...]:
    """The kinds among scans, and how many scans are of each."""
    known = list(scans)
    return tuple((kind, sum(_is_of(planes, kind) for planes in known)) for kind in kinds_of(known))


def words_of(kind: Sequence[str], most: int = _NAMED) -> str:
    """ "FHP1, FHP2, LLP …": a kind by its first planes."""
    return ", ".join(kind[:most]) + (" …" if len(kind) > most else "")


def _is_of(planes: Collection[str], kind: Planes) -> bool:
    return bool(planes) and set(planes) <= set(kind) and same_kind(planes, kind)


def _listed(kinds: Sequence[Planes]) -> str:
    return " and ".join(f"those with {words_of(kind)}" for kind in kinds)


def _own(kinds: Sequence[Planes]) -> str:
    """The first plane of the first kind that no other has."""
    first, *others = kinds
    taken = {name for kind in others for name in kind}
    return next((name for name in first if name not in taken), first[0])


def _populations(names: Collection[str]) -> frozenset[str]:
    """Of whom the names surely are: none where that is not known, two where a model scans both."""
    told = [{each.population for each in possible_concepts(name)} for name in names]
    return frozenset(population for one in told if len(one) == 1 for population in one)


def _concepts(names: Collection[str]) -> frozenset[Concept]:
    return frozenset(concept for name in names for concept in concepts_among(name, names))
