"""What a person writes and draws on a frame: words, arrows, body marks.

All of a session lie in one text, kept where a session keeps what persons typed: the log holds a keyed hash of
it, and `erasing.forget` empties the table that it lies in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Final, Literal, get_args

from semc_core.errors import UsageError
from semc_core.imaging.figures import FIGURES, Line, arrow_lines, figure_lines, probe_lines
from semc_core.io.documents import TOLERANT, Document, DocumentFault, configured
from semc_core.io.rules import checked, one_of, within
from semc_core.language import _
from semc_core.session.examination import is_written

ENTRY: Final = "annotations"
"""Kind of the log's entry, and the name of its field."""
LONGEST: Final = 64
"""Characters of one text."""
MOST: Final = 500
"""Annotations of one session."""
TURN: Final = 15
"""Degrees by which a probe is turned at once."""

Place = tuple[float, float]
Kind = Literal["text", "arrow", "mark"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
POINTS: Final = {"text": 1, "arrow": 2, "mark": 2}
"""How many points each kind has: where a text begins; tail and head; a figure's middle, and the probe."""
_DIGITS: Final = 2


def _is_text(text: str) -> None:
    if len(text) > LONGEST or not is_written(text):
        raise ValueError(f"must have at most {LONGEST} printable characters")


_Coordinate = Annotated[float, within(-1, 65_536)]
_Size = Annotated[int, within(1, 65_535)]


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Annotation:
    """One of them.

    Attributes:
        number: From 1, of the session.
        kind: One of `KINDS`.
        points: Places in pixels of the whole frame, as many as `POINTS` says.
        frame_index: Index of the frame in its source.
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        plane_id: Of the plane that shows this frame, or None.
        text: Of a text what it says; else "".
        figure: Of a body mark one of `imaging.figures.FIGURES`; else "".
        turn: Of a body mark by how many degrees the probe is turned, clockwise.
    """

    number: Annotated[int, within(1)]
    kind: Annotated[str, one_of(*KINDS)]
    points: tuple[tuple[_Coordinate, _Coordinate], ...]
    frame_index: int
    width: _Size
    height: _Size
    plane_id: int | None = None
    text: Annotated[str, checked(_is_text)] = ""
    figure: Annotated[str, one_of("", *FIGURES)] = ""
    turn: Annotated[int, within(0, 359)] = 0

    @property
    def lines(self) -> list[Line]:
        """What is drawn of it, in pixels of the frame; of a text nothing."""
        shorter = min(self.width, self.height)
        if self.kind == "arrow":
            return arrow_lines(self.points[0], self.points[1], shorter)
        if self.kind == "mark":
            probe = probe_lines(self.points[1], self.turn, shorter)
            return [*figure_lines(self.figure, self.points[0], shorter), *probe]
        return []


@configured(TOLERANT)
@dataclass(frozen=True, slots=True)
class Annotations:
    """All of a session."""

    items: tuple[Annotation, ...] = ()

    def of_frame(self, index: int) -> tuple[Annotation, ...]:
        """Those on this frame."""
        return tuple(each for each in self.items if each.frame_index == index)

    def to_text(self) -> str:
        """As text, the same always; "" for none."""
        if not self.items:
            return ""
        return json.dumps({"items": [asdict(each) for each in self.items]}, ensure_ascii=False)

    def put(self, annotation: Annotation) -> Annotations:
        """With this one, in the place of that of its number.

        Raises:
            UsageError: There are too many, or it is none that can be kept.
        """
        one = _checked(annotation)
        there = {each.number: each for each in self.items} | {one.number: one}
        if len(there) > MOST:
            raise UsageError(
                _("{most} annotations are all that a session holds; take one away first.", most=MOST)
            )
        return Annotations(tuple(there.values()))

    def without(self, number: int) -> Annotations:
        """Without the one of this number."""
        return Annotations(tuple(each for each in self.items if each.number != number))

    def with_planes(self, plane_of: Callable[[int], int | None]) -> Annotations:
        """With the plane that shows their frame, where none is named yet.

        Args:
            plane_of: Index of a frame -> number of the plane, or None.
        """
        return Annotations(
            tuple(
                each if each.plane_id is not None else replace(each, plane_id=plane_of(each.frame_index))
                for each in self.items
            )
        )

    def next_number(self, before: Iterable[Annotation] = ()) -> int:
        """A number that none has, nor any of `before`."""
        return max((each.number for each in (*self.items, *before)), default=0) + 1


ANNOTATIONS: Final = Document(Annotations)


def annotations_of(text: str) -> Annotations:
    """What `Annotations.to_text` wrote; none where it was erased."""
    try:
        found = ANNOTATIONS.parse(text) if text else Annotations()
    except DocumentFault:
        return Annotations()
    return Annotations(tuple(each for each in found.items if _is_whole(each)))


def inside(points: Sequence[Place], width: int, height: int) -> tuple[Place, ...]:
    """The same places, none beside the picture."""
    return tuple(
        (round(min(max(x, 0.0), width), _DIGITS), round(min(max(y, 0.0), height), _DIGITS)) for x, y in points
    )


def _is_whole(one: Annotation) -> bool:
    figure = bool(one.figure) == (one.kind == "mark")
    return len(one.points) == POINTS[one.kind] and figure and bool(one.text.strip()) == (one.kind == "text")


def _checked(annotation: Annotation) -> Annotation:
    text = annotation.text.strip()
    if len(text) > LONGEST or not is_written(text):
        raise UsageError(
            _(
                "A text on a picture has at most {longest} characters, all of which can be seen.",
                longest=LONGEST,
            )
        )
    one = replace(
        annotation, text=text, points=inside(annotation.points, annotation.width, annotation.height)
    )
    if not _is_whole(one):
        raise UsageError(_("This annotation lacks its points, its text or its figure; place it again."))
    return one
