"""A scanning protocol: which planes an examination should save. Plain data; no file is touched here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Annotated, Final

from semc_core.io.rules import checked, matching, one_of, stripped, told_as, within
from semc_core.labels import NON_STANDARD
from semc_core.language import N_, _
from semc_core.protocols.concepts import (
    ANATOMIES,
    FETUS,
    POPULATIONS,
    Concept,
    concepts_among,
    is_fetal,
    possible_concepts,
)

PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg")
_LONGEST_NAME: Final = 100
_LONGEST_TITLE: Final = 80
_LONGEST_TEXT: Final = 400


def _check_text(longest: int, text: str) -> None:
    if not text or not text.isprintable() or len(text) > longest:
        raise ValueError(f"must be a line of text, at most {longest} characters long")


def _check_planes(planes: tuple[str, ...]) -> None:
    for name in planes:
        if name == NON_STANDARD:
            raise ValueError(f"must be planes: {name} means that there is no plane; it cannot be asked for")
        if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            raise ValueError(f"must be names: {name[:64]!r} is not the name of a plane")
    if len(set(planes)) < len(planes):
        raise ValueError("names one plane twice")


def _check_picture(name: str) -> None:
    plain = name.isprintable() and len(name) <= _LONGEST_NAME and not name.startswith(".") and ":" not in name
    # A Windows path is one everywhere: a protocol is passed on.
    if not plain or PureWindowsPath(name).name != name or not name.casefold().endswith(PICTURE_SUFFIXES):
        raise ValueError(
            'must be the name of a PNG or JPEG file in the same folder, like "left-lobe.png", without a path'
        )


# What a user's own file must keep (see `protocols.loader`).
ProtocolId = Annotated[
    str,
    matching("[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?"),
    told_as("must be 1 to 64 lower-case letters and digits, with hyphens only between them"),
]
Title = Annotated[str, stripped(), checked(partial(_check_text, _LONGEST_TITLE))]
Text = Annotated[str, stripped(), checked(partial(_check_text, _LONGEST_TEXT))]
Planes = Annotated[
    tuple[str, ...],
    within(1),
    told_as('must be a list of names of planes, like ["4CH"]'),
    checked(_check_planes),
]
Population = Annotated[str, one_of(*POPULATIONS)]
Anatomy = Annotated[str, one_of(*ANATOMIES)]
PictureName = Annotated[str, checked(_check_picture)]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a protocol comes from: `title` and `year` of the document, and `by`, who published it."""

    title: Text
    year: Annotated[int, within(1900, 2200), told_as("must be a year, like 2024")]
    by: Text


@dataclass(frozen=True, slots=True)
class ProtocolItem:
    """One plane that the examination should show.

    Attributes:
        id: Lower-case letters, digits and hyphens; unique in its protocol.
        title: In words.
        planes: Names that models have for it; any of them fulfils the item where it means the same anatomy
            and population (see `Protocol.takes`). The first is the protocol's own.
        optional: It does not count for completeness.
        anatomy: What the plane shows, a key of `ANATOMIES`; None where the file does not say it.
        picture: Name of a picture that shows how the plane should look, a PNG or JPEG file beside the
            protocol's (see `protocols.pictures`); None where there is none.
        credit: Whose that picture is, and under which licence; shown under it. "" where nobody need be named.
    """

    id: ProtocolId
    title: Title
    planes: Planes
    optional: Annotated[bool, told_as("must be true or false")] = False
    anatomy: Anatomy | None = None
    picture: PictureName | None = None
    credit: Text = ""


@dataclass(frozen=True, slots=True)
class Protocol:
    """All that an examination should show, in the order in which it is listed.

    Attributes:
        id: Lower-case letters, digits and hyphens; unique among the protocols.
        title: In words, short.
        items: At least one.
        about: A sentence on what it is for, or "".
        sources: The documents it follows; none for a user's own.
        own: Made by the user, not part of the program.
        population: Who is scanned, a key of `POPULATIONS`; None where the file does not say it: then the
            names of its planes do.
        folder: Where its file is, and so its pictures are; None where it has no file.
    """

    id: str
    title: str
    items: tuple[ProtocolItem, ...]
    about: str = ""
    sources: tuple[Citation, ...] = ()
    own: bool = False
    population: str | None = None
    folder: Path | None = None

    def item(self, item_id: str) -> ProtocolItem | None:
        """The item with this id, or None."""
        return next((item for item in self.items if item.id == item_id), None)

    def item_of(self, name: str, model_planes: Collection[str] | None) -> ProtocolItem | None:
        """The item that a plane of this name shows, of several one with a picture; None where there is none.

        Args:
            name: Of the plane.
            model_planes: As in `takes`.
        """
        shown = [item for item in self.items if self.takes(item, name, model_planes)]
        return next((item for item in shown if item.picture), shown[0] if shown else None)

    def unknown_items(self, model_planes: Collection[str]) -> tuple[ProtocolItem, ...]:
        """The items of which a model knows no plane.

        Args:
            model_planes: The model's classes without the one for "none of these" (`ModelSpec.planes`).
        """
        return tuple(item for item in self.items if not self.known_names(item, model_planes))

    def known_names(self, item: ProtocolItem, model_planes: Collection[str]) -> tuple[str, ...]:
        """The names of an item that a model has, and means the same by."""
        return tuple(
            name for name in item.planes if name in model_planes and self.takes(item, name, model_planes)
        )

    def name_by_hand(self, item: ProtocolItem, model_planes: Collection[str]) -> str:
        """The name under which a person saves a plane for an item: the model's, if it knows one."""
        known = self.known_names(item, model_planes)
        # A name by which the model means something else would not count.
        free = (name for name in item.planes if name not in model_planes)
        return known[0] if known else next(free, item.planes[0])

    def takes(self, item: ProtocolItem, name: str, model_planes: Collection[str] | None) -> bool:
        """Whether a plane of this name fulfils an item: the name is one of its, and means the same.

        Args:
            item: Of this protocol.
            name: Of the plane.
            model_planes: As in `unknown_items`. A name that is not among them was given by a person, who
                means the item's; None while the model is not known: then any of its meanings will do.
        """
        if name not in item.planes:
            return False
        possible = possible_concepts(name)
        if not possible:
            return True
        by_model = model_planes is not None and name in model_planes
        meant = concepts_among(name, model_planes or ()) if by_model else possible
        return any(one in meant for one in self._wanted(item, name))

    def _wanted(self, item: ProtocolItem, name: str) -> tuple[Concept, ...]:
        """What this protocol means by a name: what its file says, or else what the names beside it tell."""
        wanted = possible_concepts(name)
        if self.population is None:
            wanted = concepts_among(name, {each for one in self.items for each in one.planes})
        else:
            wanted = tuple(one for one in wanted if one.population == POPULATIONS[self.population])
        if item.anatomy is None:
            return wanted
        return tuple(one for one in wanted if one.anatomy == ANATOMIES[item.anatomy])


def scans_fetuses(protocol: Protocol | None, model_planes: Collection[str]) -> bool:
    """Whether fetuses are scanned: the protocol says who is, or else the names of planes tell it.

    Args:
        protocol: That is followed, or None.
        model_planes: As in `Protocol.unknown_items`.
    """
    if protocol is None:
        return is_fetal(model_planes)
    if protocol.population is not None:
        return protocol.population == FETUS
    return is_fetal({*model_planes, *(name for item in protocol.items for name in item.planes)})


def unknown_sentence(protocol: Protocol, model_planes: Collection[str], most: int = 4) -> str:
    """What the user should know before the scan of a model that does not know the whole protocol, or "".

    Args:
        protocol: That was chosen.
        model_planes: As in `Protocol.unknown_items`.
        most: So many titles are named at most.
    """
    unknown = protocol.unknown_items(model_planes)
    if not unknown:
        return ""
    if len(unknown) == len(protocol.items):
        return _(
            "This model knows no plane of the protocol {protocol}; choose another protocol, or another "
            "model.",
            protocol=protocol.title,
        )
    text = N_(
        "This model does not know {count} of the {total} items of {protocol} ({named}); save those planes by "
        "hand."
    )
    if len(unknown) > most:
        text = N_(
            "This model does not know {count} of the {total} items of {protocol} ({named}; and {more} more); "
            "save those planes by hand."
        )
    return _(
        text,
        count=len(unknown),
        total=len(protocol.items),
        protocol=protocol.title,
        named="; ".join(item.title for item in unknown[:most]),
        more=len(unknown) - most,
    )
