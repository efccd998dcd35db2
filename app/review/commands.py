"""What the keys of the review page do: move, choose planes, ask for corrections. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from app.review.playhead import Playhead
from app.review.presenter import (
    BY_YOU,
    MARKED,
    REASONS,
    Mode,
    decided_by,
    neighbour,
    region_at,
    shown_words,
    stored_words,
)
from app.view_data import Asking, ReviewSnapshot
from semc_core.language import N_, _
from semc_core.session.correcting.changes import (
    Change,
    LabelRegion,
    MarkRegion,
    MoveToFetus,
    Reject,
    Relabel,
    RemoveRegion,
    Restore,
    SetFetus,
    SetNote,
)
from semc_core.session.correcting.sentences import called
from semc_core.session.fetuses import ONE
from semc_core.session.records import PlaneEntry
from semc_core.text import scan_time

_SKIP_S: Final = 1.0
_HERE_S: Final = 0.05
_SAME_FRAME_S: Final = 1e-6
_CALL: Final = N_(
    "The keys act on {plane} at {time}, not on what is shown: press again to call it {name}. "
    "Down and Up choose another plane; A adds this frame."
)
_REJECT: Final = N_(
    "The keys act on {plane} at {time}, not on what is shown: press again to reject it. "
    "Down and Up choose another plane; A adds this frame."
)
_RESTORE: Final = N_(
    "The keys act on {plane} at {time}, not on what is shown: press again to take it back. "
    "Down and Up choose another plane; A adds this frame."
)
_STRETCH: Final = N_("What does this stretch show?")
_NOT_MARKED: Final = N_("No region is marked here.")


class Corrector(Protocol):
    """Makes corrections without being waited for."""

    @property
    def snapshot(self) -> ReviewSnapshot:
        """How the session stands."""
        ...

    @property
    def looking_only(self) -> bool:
        """Whether nothing can be changed here."""
        ...

    def apply(self, change: Change) -> None:
        """Make this change."""
        ...

    def choose_frame(self, plane_id: int, index: int) -> None:
        """Save the frame at place `index` of the loop for this plane."""
        ...

    def add_plane(self, plane: str, index: int) -> None:
        """Add a plane at the frame at place `index` of the loop."""
        ...

    def undo(self) -> None:
        """Undo the last correction."""
        ...

    def redo(self) -> None:
        """Do it again."""
        ...


class ReviewCommands:
    """Called by one thread.

    Attributes:
        playhead: Where the review is.
        mode: What the next key or click is about.
        mark_from_s: Where the region that is being marked began; None if none is.
        asking: What the user is to type, or None.
    """

    def __init__(
        self,
        corrector: Corrector,
        times_s: NDArray[np.float64],
        classes: tuple[str, ...],
        has_picture: bool,
        refuse: Callable[[str], None],
    ) -> None:
        """Begin at the first frame.

        Args:
            corrector: Makes the corrections.
            times_s: float64 (N,), the times of the loop's frames.
            classes: The model's planes in the order of their keys.
            has_picture: Whether the frames can be read; without them none can be saved.
            refuse: Told what could not be done, a sentence for the status line.
        """
        self._corrector = corrector
        self._classes = classes
        self._has_picture = has_picture
        self.playhead = Playhead(times_s)
        self.mode = Mode.LOOK
        self.mark_from_s: float | None = None
        self.asking: Asking | None = None
        self._chosen: int | None = None
        self._asked: tuple[int, str, int] | None = None
        self._refuse = refuse

    @property
    def chosen(self) -> PlaneEntry | None:
        """The plane that the keys act on."""
        return self._corrector.snapshot.plane(self._chosen)

    @property
    def looking_only(self) -> bool:
        """Whether nothing can be changed here."""
        return self._corrector.looking_only

    @property
    def snapshot(self) -> ReviewSnapshot:
        """How the session stands."""
        return self._corrector.snapshot

    @property
    def has_picture(self) -> bool:
        """Whether the frames of the loop can be read."""
        return self._has_picture

    # Moving.

    def play(self) -> None:
        """Play, or hold."""
        self.playhead.play(not self.playhead.playing)

    def step(self, frames: int) -> None:
        """Frame by frame."""
        self.playhead.step(frames)

    def skip(self, direction: int) -> None:
        """A second on (1) or back (-1)."""
        self.playhead.skip(direction * _SKIP_S)

    def to_end(self, last: bool) -> None:
        """To the first or the last frame."""
        self.playhead.playing = False
        self.playhead.go(self.playhead.count - 1 if last else 0)

    def scrub(self, time_s: float) -> None:
        """To a time on the time line."""
        self.playhead.playing = False
        self.playhead.go_to_time(time_s)

    def to_plane(self, step: int) -> None:
        """To the next plane (1) or the one before (-1), and choose it."""
        planes = self._corrector.snapshot.planes
        found = neighbour(planes, self._chosen, self.playhead.time_s, step)
        if not planes:
            self._refuse(_("No plane is there yet; A adds the frame that is shown."))
        elif found is None:
            after, before = _("There is no plane after this."), _("There is no plane before this.")
            self._refuse(after if step > 0 else before)
        else:
            self.choose(found.plane_id)

    def choose(self, plane_id: int) -> None:
        """Choose a plane and go to its frame."""
        plane = self._corrector.snapshot.plane(plane_id)
        if plane is None:
            return
        self._chosen = plane_id
        self.playhead.loop = None
        if self.mode in (Mode.ADD, Mode.REJECT):
            self.mode = Mode.LOOK
        self.playhead.playing = False
        self.playhead.go_to_time(plane.time_s)

    def escape(self) -> bool:
        """Leave the mode, or let go of the chosen plane. Returns whether there was anything to leave."""
        if self.asking is not None:
            self.asking = None
            return True
        if self.mode is not Mode.LOOK:
            self.mode, self.mark_from_s = Mode.LOOK, None
            return True
        if self.playhead.loop is not None:
            self.playhead.loop, self.playhead.playing = None, False
            return True
        if self._chosen is not None:
            self._chosen = None
            return True
        return False

    # Correcting.

    def class_key(self, number: int) -> None:
        """The key of plane `number`, from 0, was pressed: name the chosen plane, or the one to add.

        While a reason is asked for it is the reason's number.
        """
        if self.mode is Mode.REJECT:
            self._reject_for(number)
        elif number < len(self._classes):
            self.name_it(self._classes[number])

    def name_it(self, name: str) -> None:
        """Give the chosen plane this name, or confirm the one it has; after `add`, add one with it."""
        if self.mode is Mode.ADD:
            self.mode = Mode.LOOK
            self._corrector.add_plane(name, self.playhead.index)
            return
        plane = self._needed()
        if self.mode is Mode.REJECT:
            self.mode = Mode.LOOK
        if plane is None or not self._meant(plane, _CALL, name):
            return
        if plane.plane == name and decided_by(plane) == BY_YOU:
            self._refuse(_("The plane is {name} already, by a person.", name=name))
        else:
            self._corrector.apply(Relabel(plane.plane_id, name))

    def name_plane(self, plane_id: int, name: str, fetus: str = "") -> None:
        """The plane of this number was dragged onto an item: it is this one, and of this fetus if not ""."""
        plane = self._corrector.snapshot.plane(plane_id)
        if plane is None:
            return
        if plane.plane == name and decided_by(plane) == BY_YOU and fetus in ("", plane.fetus):
            self._refuse(_("The plane is {name} already, by a person.", name=name))
        else:
            self._corrector.apply(Relabel(plane_id, name, fetus))

    def reject(self) -> None:
        """Reject the chosen plane, or take it back."""
        plane = self._needed()
        if self.mode is Mode.REJECT:
            self.mode = Mode.LOOK
        if plane is not None and self._meant(plane, _RESTORE if plane.rejected else _REJECT):
            change = Restore(plane.plane_id) if plane.rejected else Reject(plane.plane_id)
            self._corrector.apply(change)

    def reject_why(self) -> None:
        """Ask why the chosen plane is rejected; again: do not."""
        if self.mode is Mode.REJECT:
            self.mode = Mode.LOOK
        elif self._needed() is not None:
            self.mode, self.mark_from_s = Mode.REJECT, None
            self.playhead.playing = False

    def reject_for(self, reason: str) -> None:
        """Reject the chosen plane, and say why; "" asks for words."""
        plane = self._needed()
        self.mode = Mode.LOOK
        if plane is None:
            return
        if reason:
            self._corrector.apply(Reject(plane.plane_id, reason))
        else:
            title = _("Why is {plane} rejected?", plane=called(plane))
            self.asking = Asking(title, shown_words(plane.reason), plane_id=plane.plane_id, reject=True)

    def _reject_for(self, number: int) -> None:
        if number <= len(REASONS):
            self.reject_for(REASONS[number] if number < len(REASONS) else "")

    @property
    def fetus(self) -> str:
        """Letter of the fetus that is scanned in the frame that is shown; "" where there is one only."""
        return (self._corrector.snapshot.fetuses or ONE).at(self.playhead.time_s)

    def move_to_fetus(self, letter: str) -> None:
        """The chosen plane is of this fetus; "" is the next one."""
        plane, fetuses = self._needed(), self._corrector.snapshot.fetuses or ONE
        if plane is not None:
            self._corrector.apply(MoveToFetus(plane.plane_id, letter or fetuses.after(plane.fetus)))

    def turn_to_fetus(self, letter: str) -> None:
        """From the frame that is shown on it is this fetus."""
        self._corrector.apply(SetFetus(self.playhead.time_s, letter))

    def better(self) -> None:
        """Show the best frames of the chosen plane; again: do not."""
        if self.mode is Mode.BETTER:
            self.mode = Mode.LOOK
        elif self._can_save() and self._needed() is not None:
            self.mode, self.mark_from_s = Mode.BETTER, None
            self.playhead.playing = False

    def use_frame(self) -> None:
        """Save the frame that is shown for the chosen plane."""
        plane = self._needed() if self._can_save() else None
        if plane is None:
            return
        self.mode = Mode.LOOK
        if abs(plane.time_s - self.playhead.time_s) < _SAME_FRAME_S:
            self._refuse(_("{plane} shows this frame already.", plane=called(plane, first=True)))
        else:
            self._corrector.choose_frame(plane.plane_id, self.playhead.index)

    def add(self) -> None:
        """Ask which plane the frame shows; again: do not."""
        if self.mode is Mode.ADD:
            self.mode = Mode.LOOK
        elif self._can_save():
            self.mode, self.mark_from_s = Mode.ADD, None
            self.playhead.playing = False

    def add_as(self, name: str) -> None:
        """Add a plane with this name at the frame that is shown; the model need not know it."""
        if self._can_save():
            self.mode, self.mark_from_s = Mode.LOOK, None
            self.playhead.playing = False
            self._corrector.add_plane(name, self.playhead.index)

    def mark(self) -> None:
        """Begin to mark a region of time here; or end it here, and ask what it shows."""
        if self.mark_from_s is None:
            self.mode, self.mark_from_s = Mode.MARK, self.playhead.time_s
            return
        start_s, end_s = sorted((self.mark_from_s, self.playhead.time_s))
        if end_s - start_s < _HERE_S:
            self._refuse(_("That region is too short; go to its end and press M."))
            return
        self.mode, self.mark_from_s = Mode.LOOK, None
        self.playhead.playing = False
        self.asking = Asking(_(_STRETCH), self._label_between(start_s, end_s), (start_s, end_s))

    def unmark(self) -> None:
        """Take away the marked region under the playhead."""
        region = region_at(self._corrector.snapshot.regions, self.playhead.time_s)
        if region is None:
            self._refuse(_(_NOT_MARKED))
        else:
            self._corrector.apply(RemoveRegion(region.region_id))

    def ask_label(self) -> None:
        """Ask what the marked region under the playhead shows."""
        region = region_at(self._corrector.snapshot.regions, self.playhead.time_s)
        if region is None:
            self._refuse(_(_NOT_MARKED))
            return
        self.playhead.playing = False
        self.asking = Asking(_(_STRETCH), shown_words(region.label), region_id=region.region_id)

    def ask_note(self) -> None:
        """Ask for the note on the chosen plane, or on the session where none is chosen."""
        plane = self.chosen
        title = _("Note on the session") if plane is None else _("Note on {plane}", plane=called(plane))
        text = self._corrector.snapshot.note if plane is None else plane.note
        self.playhead.playing = False
        self.asking = Asking(title, text, plane_id=None if plane is None else plane.plane_id)

    def answer(self, text: str) -> None:
        """Use what was typed for what was asked."""
        question, self.asking = self.asking, None
        text = text.strip()
        if question is None:
            return
        if question.then is not None:
            question.then(text)
        elif question.region is not None:
            self._corrector.apply(MarkRegion(*question.region, stored_words(text) or MARKED))
        elif question.reject and question.plane_id is not None:
            self._corrector.apply(Reject(question.plane_id, stored_words(text)))
        elif question.region_id is not None:
            if text and text != question.text:
                self._corrector.apply(LabelRegion(question.region_id, stored_words(text)))
        elif text != question.text:
            self._corrector.apply(SetNote(question.plane_id, text))

    def undo(self) -> None:
        """Undo the last correction."""
        self._corrector.undo()

    def redo(self) -> None:
        """Do it again."""
        self._corrector.redo()

    def _needed(self) -> PlaneEntry | None:
        plane = self.chosen
        if plane is None:
            self._refuse(_("Choose a plane first: Up and Down, or click on one."))
        return plane

    def _meant(self, plane: PlaneEntry, again: str, name: str = "") -> bool:
        """Whether the chosen plane is what is looked at; if not, the key asks, and means it the second time.

        Args:
            plane: The chosen one.
            again: The sentence that asks, in English.
            name: That the plane would get, if any.
        """
        time_s = self.playhead.time_s
        first_s, last_s = min(plane.start_s, plane.time_s), max(plane.end_s, plane.time_s)
        asked, self._asked = self._asked, (plane.plane_id, again + name, self.playhead.index)
        if first_s - _HERE_S <= time_s <= last_s + _HERE_S or asked == self._asked:
            self._asked = None
            return True
        self._refuse(_(again, plane=called(plane), time=scan_time(plane.time_s), name=name))
        return False

    def _can_save(self) -> bool:
        if not self._has_picture:
            self._refuse(_("The loop is not there, so none of its frames can be saved."))
        return self._has_picture

    def _label_between(self, start_s: float, end_s: float) -> str:
        """A region is about the chosen plane if that lies in it; otherwise it is just marked."""
        plane = self.chosen
        return plane.plane if plane is not None and start_s <= plane.time_s <= end_s else _(MARKED)
