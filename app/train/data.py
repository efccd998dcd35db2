"""What can be learned from: corrections, by what was scanned; simulated patients; folders. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from semc_core.errors import SemcError
from semc_core.labels import LIVER_PLANES
from semc_core.language import _, plural
from semc_core.model.file import read_spec
from semc_core.model.registry import ModelRegistry
from semc_core.protocols.kinds import Planes, counted_kinds, same_kind, surely_apart, words_of
from semc_core.session.listing import sessions_below

SIMULATED: Final = "simulated:40"
_NAME_LENGTH: Final = 26


@dataclass(frozen=True, slots=True)
class DataChoice:
    """One thing to learn from.

    Attributes:
        place: As `semc train --data` takes it; of corrections of one of several kinds see `place_of`.
        text: For people.
        chosen: Whether it is ticked at first.
        able: Whether it can be ticked.
        apart: Places of what is never learned together with it.
        tip: The whole place; "" for `place`.
    """

    place: str
    text: str
    chosen: bool = True
    able: bool = True
    apart: tuple[str, ...] = ()
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a person has corrected.

    Attributes:
        kinds: The planes of each kind of scan, and how many sessions with corrections are of it.
        in_use: Planes of the model in use; none where it cannot be read.
    """

    kinds: tuple[tuple[Planes, int], ...] = ()
    in_use: Planes = ()


def corrections_below(root: Path, registry: ModelRegistry) -> Corrections:
    """What was corrected in the sessions below `root`. Reads the disk: not for the window."""
    scans = [
        [name for name in session.model.classes if name != session.model.none_class]
        for session in sessions_below(root)
        if session.corrections > 0
    ]
    try:
        in_use = read_spec(registry.path(registry.current())).planes
    except SemcError:
        in_use = ()  # The page says what is wrong with it.
    return Corrections(counted_kinds(scans), in_use)


def place_of(root: Path, planes: Planes) -> str:
    """How the corrections of one of several kinds are told apart among the choices."""
    return f"{root}\n{','.join(planes)}"


def meant(places: Sequence[str]) -> tuple[tuple[str, ...], Planes]:
    """What `semc train --data` and its `--of` are given for these places."""
    split = [place.partition("\n") for place in places]
    of = tuple(name for _place, _sign, planes in split for name in planes.split(",") if name)
    return tuple(place for place, _sign, _planes in split), of


def data_choices(root: Path, found: Corrections | None, folders: Sequence[str]) -> list[DataChoice]:
    """All that can be learned from, corrections first; of those None is not counted yet."""
    others = [DataChoice(folder, short(Path(folder).name or folder), tip=folder) for folder in folders]
    simulated = _("40 simulated patients")
    if found is None:
        counting = DataChoice(str(root), _("My corrections (counting …)"), chosen=False, able=False)
        return [counting, DataChoice(SIMULATED, simulated, chosen=False), *others]
    if len(found.kinds) < 2:
        planes, count = found.kinds[0] if found.kinds else ((), 0)
        text = plural("My corrections ({count} session)", "My corrections ({count} sessions)", count)
        own = [DataChoice(str(root), text, bool(count), bool(count))]
        unlike = [str(root)] if surely_apart(planes, LIVER_PLANES) else []
    else:
        own = [_of_kind(root, planes, count, found) for planes, count in found.kinds]
        unlike = [place_of(root, planes) for planes, _n in found.kinds if surely_apart(planes, LIVER_PLANES)]
    own = [_apart_from(each, [SIMULATED] if each.place in unlike else []) for each in own]
    return [*own, DataChoice(SIMULATED, simulated, chosen=False, apart=tuple(unlike)), *others]


def _of_kind(root: Path, planes: Planes, count: int, found: Corrections) -> DataChoice:
    text = plural(
        "{planes}: {count} corrected session",
        "{planes}: {count} corrected sessions",
        count,
        planes=words_of(planes, 2),
    )
    others = tuple(place_of(root, each) for each, _n in found.kinds if each != planes)
    chosen = bool(found.in_use) and same_kind(planes, found.in_use)
    return DataChoice(place_of(root, planes), text, chosen, True, others, f"{root}: {', '.join(planes)}")


def _apart_from(choice: DataChoice, places: Sequence[str]) -> DataChoice:
    return replace(choice, apart=(*choice.apart, *places))


def names_of(data: Sequence[str], of: Planes, root: Path) -> list[str]:
    """What a training learns from, in words."""
    return [_named(place, of, root) for place in data]


def _named(place: str, of: Planes, root: Path) -> str:
    if place == str(root):
        return _("my corrections of {planes}", planes=words_of(of)) if of else _("my corrections")
    return _("40 simulated patients") if place == SIMULATED else short(Path(place).name or place)


def short(name: str) -> str:
    """A folder's name that fits into a small window."""
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
