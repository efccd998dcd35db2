"""What the mouse and the keys do to the calipers on a frame: drawing, choosing, moving. No Qt here.

Places are continuous pixels of the frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.measuring.geometry import distance_to, drawn_ellipse, handles_of, with_handle
from semc_core.measure.ellipse import Ellipse
from semc_core.measure.shapes import POINTS, Kind, Place, points_of
from semc_core.session.records import MeasurementEntry

Tool = Literal["distance", "ellipse", "trace", "area", "angle", "scale"]
TOOLS: Final[tuple[Tool, ...]] = ("distance", "ellipse", "trace", "area", "angle", "scale")

_FREEHAND: Final = ("trace", "area")
_APART: Final = 0.35
"""Corners drawn by hand lie so many reaches apart."""
_NUDGE_WAIT_S: Final = 0.6
"""What the arrow keys moved is kept when they rest so long: one step of undo for many presses."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape as it is drawn now.

    Attributes:
        kind: Of the shape.
        points: As in `MeasurementEntry`; of one that is being drawn, those that are set and the mouse.
        number: Of the measurement; 0 for one that is not in the session.
        chosen: Whether keys act on it.
        handle: Which of its handles is chosen, or None.
        open: Whether it is still being drawn.
        proposed: Whether the program proposes it.
    """

    kind: Kind
    points: tuple[Place, ...]
    number: int = 0
    chosen: bool = False
    handle: int | None = None
    open: bool = False
    proposed: bool = False


class Calipers:
    """Called by one thread.

    Attributes:
        tool: That draws next; None for none.
        place: Where the mouse is, or None.
    """

    def __init__(
        self,
        drawn: Callable[[Tool, tuple[Place, ...]], None],
        moved: Callable[[int, tuple[Place, ...]], None],
        taken: Callable[[Ellipse], None],
    ) -> None:
        """Nothing is drawn.

        Args:
            drawn: Told a tool and the points of what was drawn with it.
            moved: Told the number of a measurement and its new points.
            taken: Told the outline that was proposed when a person takes one of its handles.
        """
        self.tool: Tool | None = None
        self.place: Place | None = None
        self._drawn, self._moved, self._taken = drawn, moved, taken
        self._size = (0, 0)
        self._there: tuple[MeasurementEntry, ...] = ()
        self._proposal: Ellipse | None = None
        self._points: list[Place] = []
        self._pressed: Place | None = None
        self._chosen: int | None = None
        self._handle: int | None = None
        self._grip: Place | None = None
        self._draft: tuple[Place, ...] | None = None
        self._draft_since: float | None = None
        self._placed: Shape | None = None

    # What is there.

    def show(
        self,
        size: tuple[int, int],
        there: tuple[MeasurementEntry, ...],
        proposal: Ellipse | None,
        settled: bool,
    ) -> None:
        """The frame that is shown now.

        Args:
            size: Its width and height, pixels.
            there: What was measured in it.
            proposal: The outline that is proposed for it.
            settled: Whether all that was drawn or moved before is in `there`, or was refused.
        """
        known = max((each.measurement_id for each in self._there), default=0)
        newest = max((each.measurement_id for each in there), default=0)
        if self._placed is not None and newest > known and self.tool is None:
            self._placed, self._chosen, self._handle = None, newest, None
        if settled and self._pressed is None and self._draft_since is None:
            self._placed = self._draft = None
        if size != self._size:
            self._points.clear()
        if self._chosen is not None and all(each.measurement_id != self._chosen for each in there):
            self.let_go()
        self._size, self._there, self._proposal = size, there, proposal

    def leave_frame(self) -> None:
        """Another frame is shown: what was begun on the one before is not finished on this."""
        self.keep()
        self._points.clear()
        self._pressed = self._placed = self._draft = None
        self.let_go()

    @property
    def chosen(self) -> int | None:
        """Number of the measurement that keys act on."""
        return self._chosen

    @property
    def handle_chosen(self) -> bool:
        """Whether the arrow keys move a handle."""
        return self._chosen is not None and self._handle is not None

    @property
    def busy(self) -> bool:
        """Whether a point is being placed or moved, so that it is worth to be magnified."""
        return self.tool is not None or self._pressed is not None

    @property
    def dragging(self) -> bool:
        """Whether the button is held."""
        return self._pressed is not None

    @property
    def count(self) -> int:
        """How many points of what is being drawn are set."""
        return len(self._points)

    def shapes(self) -> tuple[Shape, ...]:
        """All that is to be drawn."""
        found = [] if self._proposal is None else [Shape("ellipse", points_of(self._proposal), proposed=True)]
        found += [
            Shape(
                each.kind,
                self._points_of(each),
                each.measurement_id,
                each.measurement_id == self._chosen,
                self._handle if each.measurement_id == self._chosen else None,
            )
            for each in self._there
        ]
        if self._placed is not None:
            found.append(self._placed)
        if (begun := self._begun()) is not None:
            found.append(begun)
        return tuple(found)

    def _points_of(self, entry: MeasurementEntry) -> tuple[Place, ...]:
        mine = self._draft is not None and entry.measurement_id == self._chosen
        return self._draft if mine and self._draft is not None else entry.points

    def _begun(self) -> Shape | None:
        if self.tool is None or not self._points:
            return None
        ends = [*self._points, *([] if self.place is None else [self.place])]
        kind: Kind = "distance" if self.tool == "scale" else self.tool
        if kind == "ellipse" and len(ends) == 2 and ends[0] != ends[1]:
            return Shape(kind, drawn_ellipse(ends), open=True)
        return Shape(kind, tuple(ends), open=True)

    # The mouse.

    def press(self, place: Place, reach: float) -> None:
        """The button was pressed; `reach` is how near to a handle counts, pixels of the frame."""
        self.place = self._pressed = place = self._inside(place)
        if self.tool is not None:
            self._set_point(place, reach)
            return
        self.keep()
        found = self._handle_at(place, reach) or self._body_at(place, reach)
        if found is None:
            self._take_proposal(place, reach)
            self.let_go()
            return
        self._chosen, self._handle = found
        self._grip, self._draft = place, self._entry().points

    def _take_proposal(self, place: Place, reach: float) -> None:
        """Who takes a handle of the outline that is proposed accepts it, and then corrects it."""
        if self._proposal is None:
            return
        handles = handles_of("ellipse", points_of(self._proposal))
        if any(math.dist(each, place) <= reach for each in handles):
            self._taken(self._proposal)

    def move(self, place: Place, reach: float) -> None:
        """The mouse is here."""
        self.place = place = self._inside(place)
        if self.tool is not None:
            freehand = self._pressed is not None and self.tool in _FREEHAND and self._points
            if freehand and math.dist(self._points[-1], place) >= reach * _APART and self._has_room():
                self._points.append(place)
        elif self._pressed is not None and self._chosen is not None and self._grip is not None:
            self._drag(place)

    def release(self, place: Place, reach: float) -> None:
        """The button was let go."""
        pressed, self._pressed = self._pressed, None
        place = self._inside(place)
        if self.tool is not None and pressed is not None:
            if math.dist(pressed, place) > reach and self._points:
                self._release_drawing(place)
        elif pressed is not None and self._draft is not None:
            self._commit()

    def leave(self) -> None:
        """The mouse is not over the picture."""
        self.place = None

    def double(self) -> None:
        """A double click ends a line; its second press set a point where the first did."""
        if self.tool in _FREEHAND and len(self._points) > 1:
            self._points.pop()
            self.finish()

    def _set_point(self, place: Place, reach: float) -> None:
        assert self.tool is not None
        closes = self.tool == "area" and len(self._points) > 2
        if closes and math.dist(self._points[0], place) <= reach:
            self.finish()
        elif self._has_room() and (not self._points or math.dist(self._points[-1], place) >= 0.5):
            self._points.append(place)
            if self.tool not in _FREEHAND and len(self._points) == self._needed():
                self.finish()

    def _release_drawing(self, place: Place) -> None:
        """Drawn with the button held: a line ends where it is let go, as one by hand does."""
        if self.tool in _FREEHAND:
            self.finish()
        elif math.dist(self._points[-1], place) >= 0.5:
            self._points.append(place)
            if len(self._points) == self._needed():
                self.finish()

    def _needed(self) -> int:
        return 2 if self.tool in ("distance", "scale", "ellipse") else 3

    def _has_room(self) -> bool:
        return self.tool not in _FREEHAND or len(self._points) < POINTS[self.tool][1]

    def _drag(self, place: Place) -> None:
        entry = self._entry()
        if self._handle is not None:
            self._draft = with_handle(entry.kind, entry.points, self._handle, place)
            return
        assert self._grip is not None
        self._draft = self._shifted(entry.points, place[0] - self._grip[0], place[1] - self._grip[1])

    def _shifted(self, points: Sequence[Place], right: float, down: float) -> tuple[Place, ...]:
        """All points moved alike, as far as all stay in the frame."""
        width, height = self._size
        xs, ys = [x for x, _ in points], [y for _, y in points]
        right = min(max(right, -min(xs)), width - max(xs))
        down = min(max(down, -min(ys)), height - max(ys))
        return tuple((x + right, y + down) for x, y in points)

    # Keys.

    def begin(self, tool: Tool) -> None:
        """Draw with this tool next; with the one that is on, put it away."""
        self.keep()
        self._points.clear()
        self.let_go()
        self.tool = None if self.tool == tool else tool

    def finish(self) -> bool:
        """End what is being drawn. Returns whether there was enough of it."""
        tool, points = self.tool, tuple(self._points)
        if tool is None or len(points) < (self._needed() if tool not in _FREEHAND else POINTS[tool][0]):
            return False
        self._points.clear()
        self.tool = self._pressed = None
        if tool == "ellipse":
            points = drawn_ellipse(points)
            width, height = self._size
            points = tuple((min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in points)
        self._placed = Shape("distance" if tool == "scale" else tool, points)
        self._drawn(tool, points)
        return True

    def back(self) -> bool:
        """Leave what was begun, step by step. Returns whether there was anything."""
        self.keep()
        if self._points:
            self._points.clear()
        elif self.tool is not None:
            self.tool = None
        elif self._handle is not None:
            self._handle = None
        elif self._chosen is not None:
            self.let_go()
        else:
            return False
        return True

    def let_go(self) -> None:
        """Choose nothing."""
        self._chosen = self._handle = self._grip = None
        self._draft, self._draft_since = None, None

    def choose(self, number: int) -> None:
        """Choose this measurement, all of it."""
        self.keep()
        if any(each.measurement_id == number for each in self._there):
            self._chosen, self._handle, self._draft = number, None, None

    def next_handle(self, step: int) -> bool:
        """Choose the next handle of all (1), or the one before (-1). Returns whether there is any."""
        self.keep()
        all_handles = [
            (each.measurement_id, i)
            for each in self._there
            for i in range(len(handles_of(each.kind, each.points)))
        ]
        if not all_handles:
            return False
        now = (self._chosen or 0, -1 if self._handle is None else self._handle)
        if now in all_handles:
            at = (all_handles.index(now) + step) % len(all_handles)
        else:
            own = [i for i, (number, _) in enumerate(all_handles) if number == self._chosen]
            at = own[0] if own else (0 if step > 0 else len(all_handles) - 1)
        (self._chosen, self._handle), self._draft = all_handles[at], None
        return True

    def nudge(self, right: float, down: float, now_s: float) -> None:
        """Move the chosen handle by so many pixels; kept when the keys rest."""
        if self._chosen is None or self._handle is None:
            return
        entry = self._entry()
        points = self._draft or entry.points
        kind: Kind = entry.kind
        x, y = handles_of(kind, points)[self._handle]
        self._draft = with_handle(kind, points, self._handle, self._inside((x + right, y + down)))
        self._draft_since = now_s

    def rest(self, now_s: float) -> None:
        """Keep what the arrow keys moved, if they have rested: to be called often."""
        if self._draft_since is not None and now_s - self._draft_since >= _NUDGE_WAIT_S:
            self.keep()

    def keep(self) -> None:
        """Keep what the arrow keys moved, at once."""
        if self._draft_since is not None:
            self._draft_since = None
            self._commit()

    def _commit(self) -> None:
        entry, draft = self._entry(), self._draft
        if draft is None or draft == entry.points:
            self._draft = None
        else:
            self._moved(entry.measurement_id, self._fitted(entry, draft))

    def _fitted(self, entry: MeasurementEntry, points: tuple[Place, ...]) -> tuple[Place, ...]:
        """An ellipse's third point may leave the frame while an axis is turned; any on its axis would do."""
        width, height = self._size
        if entry.kind == "ellipse" and not (0 <= points[2][0] <= width and 0 <= points[2][1] <= height):
            return (points[0], points[1], handles_of("ellipse", points)[3])
        return points

    def _entry(self) -> MeasurementEntry:
        return next(each for each in self._there if each.measurement_id == self._chosen)

    # What lies where.

    def _handle_at(self, place: Place, reach: float) -> tuple[int, int | None] | None:
        near = [
            (math.dist(handle, place), each.measurement_id, i)
            for each in self._there
            for i, handle in enumerate(handles_of(each.kind, each.points))
        ]
        distance, number, handle = min(near, default=(math.inf, 0, 0))
        return (number, handle) if distance <= reach else None

    def _body_at(self, place: Place, reach: float) -> tuple[int, int | None] | None:
        near = [(distance_to(each, place), each.measurement_id) for each in self._there]
        distance, number = min(near, default=(math.inf, 0))
        return (number, None) if distance <= reach * 0.6 else None

    def under(self, place: Place, reach: float) -> bool:
        """Whether there is something to be taken here."""
        return (self._handle_at(place, reach) or self._body_at(place, reach)) is not None

    def _inside(self, place: Place) -> Place:
        width, height = self._size
        return min(max(place[0], 0.0), float(width)), min(max(place[1], 0.0), float(height))
