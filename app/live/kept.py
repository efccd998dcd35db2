"""The strip of a scan: what was saved, as a person names and rejects it meanwhile."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from app.live.earlier import EarlierScan, as_earlier
from app.live.measured import LiveSubject
from app.live.naming import Naming, as_corrected, key_of, marks_of, names_offered, of_fetuses
from app.live.presenter import merged
from app.view_data import LIVE_NAME_KEYS
from app.widgets.colours import ON_PICTURE
from app.widgets.saved_strip import SavedStrip
from semc_core.labels import NON_STANDARD
from semc_core.language import _
from semc_core.model.spec import ModelSpec
from semc_core.pipeline.live import LivePipeline
from semc_core.session.correcting.changes import Change
from semc_core.session.fetuses import ONE, Fetuses, with_earlier
from semc_core.session.session import Session
from semc_core.types import SavedPlane

_PATIENCE_S: Final = 5.0
"""So long the window waits for a plane to be written before it closes."""
_log = logging.getLogger(__name__)


def no_protocol(model_planes: tuple[str, ...]) -> tuple[str, ...]:
    """The planes that a protocol asks for, where there is none."""
    return ()


class KeptPlanes:
    """Called by the window's thread.

    Attributes:
        raw: As the scan saved them.
        planes: As corrected, without the rejected ones.
        naming: What is asked and chosen.
        earlier: The scan before, which this one may go on with.
        on_same: Told whether it does.
        on_begin: Told that nothing is saved yet.
        on_take: Told what was saved, or changed.
        of_protocol: Gives the names of the protocol's planes, for those that the model knows.
    """

    def __init__(self, strip: SavedStrip, subject: LiveSubject) -> None:
        self._strip, self._subject = strip, subject
        self.of_protocol: Callable[[tuple[str, ...]], tuple[str, ...]] = no_protocol
        self.on_begin: Callable[[], None] = lambda: None
        self.on_take: Callable[[list[SavedPlane]], None] = lambda saved: None
        self.on_same: Callable[[bool], None] = lambda same: None
        self.begin()
        strip.named.connect(self._named)

    def begin(self) -> None:
        """Of a scan in which nothing is saved yet."""
        self.raw: tuple[SavedPlane, ...] = ()
        self.planes: tuple[SavedPlane, ...] = ()
        self.earlier = EarlierScan()
        self.naming = Naming(self._subject.correct, self._subject.refuse)
        self._shown: tuple[object, ...] = ()
        self._model: tuple[str, ...] = ()
        self._strip.show_planes((), {})
        self._strip.ask("", ())
        self.on_begin()

    def take(self, saved: list[SavedPlane]) -> None:
        """These are new, or changed."""
        self.raw = merged(self.raw, saved)
        self._subject.take(tuple(saved))
        self.naming.take(saved)
        self.on_take(saved)

    def show(self, spec: ModelSpec | None, colours: dict[str, str]) -> bool:
        """Show what is new: to be called often. Returns whether the planes are others than before."""
        self._model = () if spec is None else spec.planes
        entries = self._subject.snapshot.planes
        fetuses = self.fetuses
        before = self.earlier.planes
        now = (self.raw, entries, self.naming.chosen, fetuses, before)
        if changed := now != self._shown:
            self._shown = now
            self.planes = as_corrected(self.raw, entries)
            marks = of_fetuses(marks_of(entries, self.naming.chosen), (*before, *self.raw), fetuses)
            own = as_corrected(self.raw, entries, rejected=True)
            self._strip.show_planes((*before, *own), colours, marks)
        offered = tuple((key_of(i), name) for i, name in enumerate(self.naming.names))
        question = self.naming.question(self.planes if self.naming.chosen is None else self._all)
        way_out = _("Esc: later")
        if self.naming.chosen is not None:
            way_out = _("X: reject, or take back   Esc: done")
        if not question and self.earlier.asks:
            question, offered = self.earlier.question()
            way_out = _("Esc: a new one")
        self._strip.ask(question, offered if question else (), way_out)
        return changed

    @property
    def fetuses(self) -> Fetuses:
        """Of how many fetuses the scan is: where it goes on with another one, with those of that, too."""
        return with_earlier(self._subject.snapshot.fetuses or ONE, self.earlier.letters)

    @property
    def counted(self) -> tuple[SavedPlane, ...]:
        """The planes that the checklist counts: where the scan before belongs to it, its own too."""
        return (*self.earlier.planes, *self.planes) if self.earlier.planes else self.planes

    def plane(self, number: int) -> SavedPlane | None:
        """The one of this number, as it was saved."""
        known = (*self.raw, *self.earlier.planes)
        return next((plane for plane in known if plane.hold_id == number), None)

    def before(self) -> tuple[tuple[SavedPlane, ...], dict[int, str]]:
        """What the next scan may go on with, and of several fetuses the letter of each plane's."""
        counted, fetuses = self.counted, self.fetuses
        planes = as_earlier(counted)
        if not fetuses.letters:
            return planes, {}
        letters = [fetuses.of_plane(plane.hold_id, plane.time_s) for plane in counted]
        return planes, {plane.hold_id: letter for plane, letter in zip(planes, letters, strict=True)}

    def turn_same(self) -> None:
        """This scan goes on with the examination before; or, where it does, no longer."""
        if self.earlier.there:
            self._answer(not self.earlier.planes)

    def escape(self) -> bool:
        """Leave what is asked or chosen. Returns whether there was anything."""
        if self.naming.escape():
            return True
        if asked := self.earlier.asks:
            self._answer(False)
        return asked

    def correct(self, change: Change) -> None:
        """Make this change in the session, without being waited for."""
        self._subject.correct(change)

    @property
    def badges(self) -> tuple[tuple[str, str], ...]:
        """Which of several fetuses is scanned now, as it is said over the picture, with its colour."""
        letter = self.fetuses.newest
        return ((_("FETUS {letter}", letter=letter), ON_PICTURE.accent),) if letter else ()

    @property
    def foremost(self) -> SavedPlane | None:
        """The chosen plane, rejected or not; without one the newest that counts."""
        chosen = next((plane for plane in self._all if plane.hold_id == self.naming.chosen), None)
        return chosen or (self.planes[-1] if self.planes else None)

    @property
    def chosen_plane(self) -> str:
        """The class name of the chosen plane; "" where none is, or it shows none."""
        found = next((plane.plane for plane in self._all if plane.hold_id == self.naming.chosen), "")
        return "" if found == NON_STANDARD else found

    def ask(self, frame_index: int) -> None:
        """This frame was captured: ask which plane it is."""
        self._offer()
        self.naming.ask(frame_index, self.raw)

    def finish(self, pipeline: LivePipeline[Session]) -> None:
        """Before the end: wait for the planes that something was measured on, or that have a name already."""
        end_s = time.monotonic() + _PATIENCE_S
        while self._subject.waiting or self.naming.waiting:
            if not pipeline.wait_saved(max(0.0, end_s - time.monotonic())):
                _log.error("What was measured or named last is not saved: its plane was not written in time.")
                break
            self.take(pipeline.take_saved())

    def does(self) -> dict[str, Callable[[], object]]:
        """What the keys do."""
        return {
            **{f"name_{key}": partial(self._name, number) for number, key in enumerate(LIVE_NAME_KEYS)},
            "strip_back": partial(self._step, -1),
            "strip_on": partial(self._step, 1),
            "strip_reject": self._reject,
            "remove": self._reject,
            "same_examination": self.turn_same,
        }

    @property
    def _all(self) -> tuple[SavedPlane, ...]:
        return as_corrected(self.raw, self._subject.snapshot.planes, rejected=True)

    def _named(self, name: str) -> None:
        """What is offered in the strip was clicked."""
        if self.naming.asks or not self.earlier.asks:
            self.naming.name_it(name)
        else:
            self._answer(name == self.earlier.question()[1][0][1])

    def _answer(self, same: bool) -> None:
        self.earlier.answer(same)
        self.on_same(same)

    def _name(self, number: int) -> None:
        self.naming.name(number)

    def _offer(self) -> None:
        self.naming.names = names_offered(self.of_protocol(self._model), self._model)

    def _step(self, by: int) -> None:
        self._offer()
        self.naming.step(by, self.raw)

    def _reject(self) -> None:
        self.naming.reject(marks_of(self._subject.snapshot.planes, None).rejected)
