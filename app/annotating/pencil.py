"""What the mouse and the keys do to the annotations of a frame: placing, choosing, moving. No Qt here.

Places are continuous pixels of the frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from semc_core.imaging.figures import FIGURES, LETTER, Line
from semc_core.session.annotations import KINDS, POINTS, TURN, Annotation, Kind, Place, inside

TOOLS: Final[tuple[Kind, ...]] = KINDS
_WIDE: Final = 0.55
"""Of a letter, as a share of its height: enough to say whether the mouse is over a text."""
_AT: Final = {
    "text": ((0.4, 0.5),),
    "arrow": ((0.35, 0.35), (0.5, 0.5)),
    "mark": ((0.15, 0.82), (0.15, 0.82)),
}
"""Where keys place one, as shares of the picture."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame that is shown.

    Attributes:
        index: In its source.
        width: Pixels.
        height: Pixels.
        plane_id: Of the plane that shows it, or None.
    """

    index: int
    width: int
    height: int
    plane_id: int | None = None


class Pencil:
    """Called by one thread.

    Attributes:
        tool: What is placed next; None for nothing.
        figure: Of the next body mark.
        chosen: Number of the annotation that keys act on, or None.
        handle: Which of its points the arrow keys move.
    """

    def __init__(self, placed: Callable[[Annotation], None], moved: Callable[[Annotation], None]) -> None:
        """Nothing is there.

        Args:
            placed: Told of a new one; its number is still 1, and a text says nothing yet.
            moved: Told of one whose points, figure or probe are others.
        """
        self._placed, self._moved = placed, moved
        self.tool: Kind | None = None
        self.figure = next(iter(FIGURES))
        self.chosen: int | None = None
        self.handle = 0
        self._frame: Frame | None = None
        self._there: tuple[Annotation, ...] = ()
        self._draft: Annotation | None = None
        self._tail: Place | None = None
        self._grip: tuple[Place, int | None] | None = None

    # What is there.

    def show(self, frame: Frame | None, there: tuple[Annotation, ...]) -> None:
        """The frame that is shown now, with what is on it."""
        if frame is None or self._frame is None or frame.index != self._frame.index:
            self.let_go()
            self.tool = None
        self._frame, self._there = frame, there
        if self.chosen is not None and all(each.number != self.chosen for each in there):
            self.let_go()

    @property
    def shown(self) -> tuple[Annotation, ...]:
        """All that is to be drawn."""
        draft = self._draft
        kept = tuple(
            draft if draft is not None and each.number == draft.number else each for each in self._there
        )
        return kept if draft is None or draft.number else (*kept, draft)

    @property
    def active(self) -> bool:
        """Whether keys are for annotations."""
        return self.tool is not None or self.chosen is not None

    @property
    def one(self) -> Annotation | None:
        """The one that is chosen."""
        return next((each for each in self._there if each.number == self.chosen), None)

    def choose(self, number: int) -> None:
        """Choose this one, which is there or about to be."""
        self.tool, self.chosen, self._draft, self._tail, self._grip = None, number, None, None, None
        self.handle = 0

    def let_go(self) -> None:
        """Choose nothing, and leave what was begun."""
        self.chosen, self.handle, self._draft, self._tail, self._grip = None, 0, None, None, None

    # Keys.

    def begin(self, tool: Kind) -> None:
        """Place this next; the tool that is on is put away. Of a body mark that is chosen: another figure."""
        one = self.one
        if tool == "mark" and one is not None and one.kind == "mark":
            names = list(FIGURES)
            self.figure = names[(names.index(one.figure) + 1) % len(names)]
            self._moved(replace(one, figure=self.figure))
            return
        self.let_go()
        self.tool = None if self.tool == tool else tool

    def place_by_key(self) -> bool:
        """Place what the tool places without a mouse. Returns whether a tool is on."""
        if self.tool is None or self._frame is None:
            return False
        size = self._frame.width, self._frame.height
        self._place(tuple((x * size[0], y * size[1]) for x, y in _AT[self.tool]))
        return True

    def next_handle(self, step: int) -> bool:
        """Choose the next point of all (1), or the one before (-1). Returns whether there is any."""
        points = [(each.number, i) for each in self._there for i in range(POINTS[each.kind])]
        if not points:
            return False
        now = (self.chosen or 0, self.handle)
        at = (points.index(now) + step) % len(points) if now in points else 0
        self.let_go()
        self.tool = None
        self.chosen, self.handle = points[at]
        return True

    def nudge(self, right: float, down: float) -> bool:
        """Move the chosen point by so many pixels. Returns whether one is chosen."""
        one = self.one
        if one is None:
            return False
        x, y = one.points[self.handle]
        self._moved(self._with_point(one, self.handle, (x + right, y + down)))
        return True

    def turn(self, step: int) -> bool:
        """Turn the probe of the chosen body mark. Returns whether one is chosen."""
        one = self.one
        if one is None or one.kind != "mark":
            return False
        self._moved(replace(one, turn=(one.turn + TURN * step) % 360))
        return True

    def back(self) -> bool:
        """Leave what was begun, step by step. Returns whether there was anything."""
        if self._tail is not None:
            self._tail = self._draft = None
        elif self.tool is not None:
            self.tool = None
        elif self.chosen is not None:
            self.let_go()
        else:
            return False
        return True

    # The mouse.

    def press(self, at: Place, reach: float) -> bool:
        """The button was pressed. Returns whether it is for annotations."""
        if self.tool is not None:
            self._press_tool(at)
            return True
        found = self.under(at, reach)
        if found is None:
            had = self.chosen is not None
            self.let_go()
            return had
        self.choose(found[0])
        self.handle = found[1] or 0
        self._grip = at, found[1]
        return True

    def move(self, at: Place) -> bool:
        """The mouse is here. Returns whether that changes what is drawn."""
        if self._tail is not None:
            self._draft = self._made(0, (self._tail, at))
        elif self._grip is not None and (one := self.one) is not None:
            (x, y), handle = self._grip
            if handle is not None:
                self._draft = self._with_point(one, handle, at)
            else:
                moved = tuple((px + at[0] - x, py + at[1] - y) for px, py in one.points)
                self._draft = replace(one, points=self._inside(moved))
        else:
            return False
        return True

    def release(self, at: Place, reach: float) -> None:
        """The button was let go: an arrow that was dragged is there, and what was moved stays."""
        if self._tail is not None and math.dist(self._tail, at) > reach:
            self._place((self._tail, at))
        elif self._grip is not None:
            self._grip, draft, one = None, self._draft, self.one
            self._draft = None
            if draft is not None and draft != one:
                self._moved(draft)

    def under(self, at: Place, reach: float) -> tuple[int, int | None] | None:
        """What lies here: the number of an annotation, and which of its points; None for all of it."""
        for each in reversed(self._there):
            near = [math.dist(point, at) for point in each.points]
            nearest = min(range(len(near)), key=near.__getitem__)
            if near[nearest] <= reach:
                # Of a probe on the middle of its figure the probe is meant.
                return each.number, len(near) - 1 if near[-1] <= reach else nearest
        for each in reversed(self._there):
            if _is_over_text(each, at) or any(_distance(line, at) <= reach * 0.6 for line in each.lines):
                return each.number, None
        return None

    def _press_tool(self, at: Place) -> None:
        if self.tool != "arrow":
            self._place((at,) * POINTS[self.tool or "text"])
        elif self._tail is None:
            self._tail = at
        elif math.dist(self._tail, at) > 1:
            self._place((self._tail, at))

    def _place(self, points: tuple[Place, ...]) -> None:
        made = self._made(1, points)
        self.let_go()
        self.tool = None
        if made is not None:
            self._placed(made)

    def _made(self, number: int, points: tuple[Place, ...]) -> Annotation | None:
        frame, tool = self._frame, self.tool
        if frame is None or tool is None:
            return None
        figure = self.figure if tool == "mark" else ""
        return Annotation(
            number, tool, self._inside(points), frame.index, frame.width, frame.height, frame.plane_id,
            figure=figure,
        )  # fmt: skip

    def _with_point(self, one: Annotation, handle: int, at: Place) -> Annotation:
        points = list(one.points)
        if one.kind == "mark" and handle == 0:
            # The probe goes along with its figure.
            right, down = at[0] - points[0][0], at[1] - points[0][1]
            points[1] = points[1][0] + right, points[1][1] + down
        points[handle] = at
        return replace(one, points=self._inside(tuple(points)))

    def _inside(self, points: tuple[Place, ...]) -> tuple[Place, ...]:
        frame = self._frame
        return points if frame is None else inside(points, frame.width, frame.height)


def text_height(one: Annotation) -> float:
    """Of its letters, pixels of the frame."""
    return max(8.0, LETTER * min(one.width, one.height))


def _is_over_text(one: Annotation, at: Place) -> bool:
    high = text_height(one)
    x, y = one.points[0]
    return one.kind == "text" and x <= at[0] <= x + _WIDE * high * len(one.text) and y - high <= at[1] <= y


def _distance(line: Line, at: Place) -> float:
    """From a place to the nearest point of a line."""
    first, along = line[:-1], np.diff(line, axis=0)
    squared = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip((((at - first) * along).sum(axis=1)) / squared, 0, 1)
    return float(np.hypot(*(first + share[:, None] * along - at).T).min())
