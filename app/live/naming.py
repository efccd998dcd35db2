"""What a person says of the planes of the scan that runs: names, rejections, and what is asked. No Qt here.

A capture is asked for its name, and nothing waits for the answer: the scan goes on; Esc leaves it to review.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from app.keys import first_key
from app.view_data import LIVE_NAME_KEYS, StripMarks
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.session.correcting.changes import Change, Reject, Relabel, Restore
from semc_core.session.fetuses import Fetuses
from semc_core.session.records import PERSON, PlaneEntry
from semc_core.text import scan_time
from semc_core.types import SavedPlane


def names_offered(of_protocol: Iterable[str], of_model: Iterable[str]) -> tuple[str, ...]:
    """The planes of the protocol, and behind them those that only the model knows."""
    return tuple(dict.fromkeys((*of_protocol, *of_model)))


def key_of(number: int) -> str:
    """The key of the plane at this place among those offered, from 0; "" where there are too many."""
    return LIVE_NAME_KEYS[number] if number < len(LIVE_NAME_KEYS) else ""


def as_corrected(
    planes: Iterable[SavedPlane], entries: Iterable[PlaneEntry], rejected: bool = False
) -> tuple[SavedPlane, ...]:
    """The planes under the names that a person gave them.

    Args:
        planes: As the scan saved them.
        entries: As the session has them; a plane may not be among them yet.
        rejected: Whether those that a person rejected are there, too.
    """
    said = {entry.plane_id: entry for entry in entries if entry.chosen_by == PERSON}
    kept = []
    for plane in planes:
        entry = said.get(plane.hold_id)
        if entry is None:
            kept.append(plane)
        elif rejected or not entry.rejected:
            same = entry.plane == plane.plane
            kept.append(plane if same else replace(plane, plane=entry.plane, confidence=entry.confidence))
    return tuple(kept)


def marks_of(entries: Iterable[PlaneEntry], chosen: int | None) -> StripMarks:
    """From what the session says of its planes."""
    said = [entry for entry in entries if entry.chosen_by == PERSON]
    rejected = frozenset(entry.plane_id for entry in said if entry.rejected)
    return StripMarks(chosen, rejected, frozenset(entry.plane_id for entry in said) - rejected)


def of_fetuses(marks: StripMarks, planes: Iterable[SavedPlane], fetuses: Fetuses) -> StripMarks:
    """The marks, with the letter of the fetus of each plane."""
    if not fetuses.letters:
        return marks
    letters = {plane.hold_id: fetuses.of_plane(plane.hold_id, plane.time_s) for plane in planes}
    return replace(marks, fetuses=letters)


@dataclass(frozen=True, slots=True)
class _Capture:
    """A frame that a person captured.

    Attributes:
        frame_index: Of the frame.
        before: The planes that there were already.
        plane_id: Of the plane, once it is written.
        name: What it is to be called then; "" is not said yet.
    """

    frame_index: int
    before: frozenset[int]
    plane_id: int | None = None
    name: str = ""

    def is_in(self, plane: SavedPlane) -> bool:
        """Whether this is the plane that was captured."""
        return plane.by_hand and plane.frame_index == self.frame_index and plane.hold_id not in self.before


class Naming:
    """Of one scan. Called by one thread.

    Attributes:
        names: The planes that are offered, in the order of their keys.
        chosen: The number of the plane in the strip that keys act on.
    """

    def __init__(self, correct: Callable[[Change], None], refuse: Callable[[str], None]) -> None:
        """Nothing is asked yet.

        Args:
            correct: Makes this change in the session, without being waited for.
            refuse: Told what could not be done, a sentence.
        """
        self._correct, self._refuse = correct, refuse
        self.names: tuple[str, ...] = ()
        self.chosen: int | None = None
        self._asked: _Capture | None = None
        self._named: list[_Capture] = []

    @property
    def asks(self) -> bool:
        """Whether the keys of names do something."""
        return self._asked is not None or self.chosen is not None

    @property
    def waiting(self) -> bool:
        """Whether a capture has a name, and is not written yet."""
        return bool(self._named)

    def question(self, planes: Sequence[SavedPlane]) -> str:
        """What is asked, of the capture or of the chosen one of `planes`; "" if nothing is."""
        if self._asked is not None:
            return _("Which plane is the capture?")
        chosen = next((plane for plane in planes if plane.hold_id == self.chosen), None)
        if chosen is None:
            return ""
        time = scan_time(chosen.time_s)
        if chosen.plane == NON_STANDARD:
            return _("Capture at {time} is:", time=time)
        return _("{plane} at {time} is:", plane=chosen.plane, time=time)

    def ask(self, frame_index: int, planes: Iterable[SavedPlane]) -> None:
        """This frame was captured beside `planes`: which plane is it? A question before stays unanswered."""
        self._asked = _Capture(frame_index, frozenset(plane.hold_id for plane in planes))
        self.chosen = None

    def take(self, saved: Iterable[SavedPlane]) -> None:
        """These are written, or could not be: what was said of one of them before is done now."""
        for plane in saved:
            if self._asked is not None and self._asked.is_in(plane):
                self._asked = None if plane.png is None else replace(self._asked, plane_id=plane.hold_id)
            for said in [each for each in self._named if each.is_in(plane)]:
                self._named.remove(said)
                if plane.png is not None:  # why it could not be written, the scan says
                    self._correct(Relabel(plane.hold_id, said.name))

    def name(self, number: int) -> None:
        """The key of the plane at this place was pressed."""
        if number < len(self.names):
            self.name_it(self.names[number])

    def name_it(self, name: str) -> None:
        """The capture that is asked for, or the chosen plane, is this one."""
        asked, self._asked = self._asked, None
        if asked is None:
            if self.chosen is not None:
                self._correct(Relabel(self.chosen, name))
        elif asked.plane_id is None:
            self._named.append(replace(asked, name=name))
        else:
            self._correct(Relabel(asked.plane_id, name))

    def name_plane(self, plane_id: int, name: str, fetus: str = "") -> None:
        """The plane of this number was dragged onto an item: it is this one, and of this fetus if not ""."""
        if self._asked is not None and self._asked.plane_id == plane_id:
            self._asked = None
        self._correct(Relabel(plane_id, name, fetus))

    def step(self, by: int, planes: Sequence[SavedPlane]) -> None:
        """Choose the next of `planes` (1) or the one before (-1); without one, the newest."""
        self._asked = None
        numbers = [plane.hold_id for plane in planes]
        if not numbers:
            key = first_key("capture")
            self._refuse(_("Nothing is saved yet; {key} saves the frame that is shown.", key=key))
        elif self.chosen not in numbers:
            self.chosen = numbers[-1]
        else:
            at = numbers.index(self.chosen) + by
            self.chosen = numbers[min(max(at, 0), len(numbers) - 1)]

    def reject(self, rejected: Collection[int]) -> None:
        """Reject the chosen plane, or the capture that is asked for; one of `rejected` is taken back."""
        number = self.chosen if self._asked is None else self._asked.plane_id
        self._asked = None
        if number is None:
            self._refuse(_("Choose a saved plane first: the keys , and . go through them."))
        else:
            self._correct(Restore(number) if number in rejected else Reject(number))

    def escape(self) -> bool:
        """Leave the question, or let go of the chosen plane. Returns whether there was anything."""
        was = self.asks
        self._asked, self.chosen = None, None
        return was
