"""Connects the annotations with a session: what is drawn is kept there, what is kept is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.annotating.keeper import AnnotationKeeper
from app.annotating.layer import AnnotationLayer
from app.annotating.pencil import TOOLS, Frame, Pencil
from app.annotating.subject import Subject
from app.commands import ONLY_LOOKED_AT
from app.keys import first_key
from app.measuring.keys import IN_REVIEW, MeasureKeys
from app.tasks import Post
from app.view_data import Asking
from app.widgets.image_view import LiveView
from semc_core.errors import UsageError
from semc_core.language import N_, _
from semc_core.session.annotations import Annotation, Kind

_HINTS: Final[Mapping[Kind, str]] = {
    "text": N_("Text: click where it begins, or press {enter}; {next} goes to what is there, Esc leaves"),
    "arrow": N_(
        "Arrow: click where it begins, then where it points, or press {enter}; {next}, Esc as always"
    ),
    "mark": N_(
        "Body mark: click where it is to stand, or press {enter}; then drag the probe, {less} and {more} "
        "turn it, {again} draws another body"
    ),
}
_WHAT: Final = N_("Text on the picture (a name stays on this computer alone)")
_NO_FRAME: Final = N_("No frame is shown that could be drawn on; go to one.")


def tool_hint(tool: Kind, keys: MeasureKeys = IN_REVIEW) -> str:
    """What to do with a tool that was begun, with the keys that do it now."""
    less, more = keys.turns
    return _(
        _HINTS[tool],
        enter=first_key(keys.enter),
        next=first_key("next_handle"),
        less=first_key(less),
        more=first_key(more),
        again=first_key("annotate_mark"),
    )


class Annotating(QObject):
    """Called by the window's thread; only `close` waits.

    Attributes:
        keeper: What is kept in the session.
        pencil: What is placed and chosen.
        layer: Over the picture.

    Signals:
        changed: The mouse did something; what is shown is not what it should be.
        message: What is to be done next, a sentence.
        fault: What could not be done, a sentence.
    """

    changed = Signal()
    message = Signal(str)
    fault = Signal(str)

    def __init__(
        self,
        view: LiveView,
        over: QWidget,
        leave_others: Callable[[], None],
        post: Post,
        keys: MeasureKeys = IN_REVIEW,
    ) -> None:
        """Nothing is drawn.

        Args:
            view: The picture.
            over: What lies over it, as large as it.
            leave_others: Puts another tool over the picture away.
            post: See `app.tasks`.
            keys: Of the page.
        """
        super().__init__(view)
        self._view, self._keys = view, keys
        self._leave_others = leave_others
        self._subject: Subject | None = None
        self._actions: dict[Kind, QAction] = {}
        self.keeper = AnnotationKeeper(post)
        self.keeper.on_message = self.fault.emit
        self.pencil = Pencil(self._placed, self._moved)
        self.layer = AnnotationLayer(view, over, self.pencil)
        self.layer.touched.connect(self._touched)
        self.layer.text_wanted.connect(self._ask_again)

    def begin(self, subject: Subject | None) -> None:
        """This is drawn on from now on; None for nothing."""
        self._subject = subject
        self.keeper.begin(subject)
        self.leave()

    def leave(self) -> None:
        """The frame is shown no longer."""
        self.pencil.show(None, ())
        self.layer.show_all()

    def close(self) -> None:
        """End, and wait for what is being written."""
        self.keeper.close()

    def set_actions(self, actions: Mapping[str, QAction], add: Callable[[str, QAction], None]) -> None:
        """Have a button for each tool added by `add`. Called once."""
        self._actions = {tool: actions[f"annotate_{tool}"] for tool in TOOLS}
        for tool, action in self._actions.items():
            add(f"annotate_{tool}", action)

    # Keys.

    def over(self, does: Mapping[str, Callable[[], object]]) -> dict[str, Callable[[], object]]:
        """What the page's keys do, with those that annotate, and what some of them do first while it is."""
        first: dict[str, Callable[[], bool]] = {
            self._keys.enter: self._entered,
            "remove": self._removed,
            "next_handle": partial(self._next_handle, 1),
            "handle_back": partial(self._next_handle, -1),
            "undo": lambda: self.keeper.step_back(self._mark),
            "redo": lambda: self.keeper.step_on(self._mark),
        }
        first |= {name: partial(self._nudge, *by) for name, by in self._keys.arrows.items()}
        first |= {name: partial(self._turn, by) for name, by in self._keys.turns.items()}
        wrapped = {name: partial(self._first, do, does.get(name, _nothing)) for name, do in first.items()}
        tools = {f"annotate_{tool}": partial(self._begin, tool) for tool in TOOLS}
        others = {
            name: partial(self._first, self._put_away, do)
            for name, do in does.items()
            if name.startswith(self._keys.tools)
        }
        return {**does, **wrapped, **others, **tools}

    def leaving(self, otherwise: Callable[[], bool]) -> Callable[[], bool]:
        """What Esc does on the page: leave what was begun here first."""
        return lambda: self.escape() or otherwise()

    def escape(self) -> bool:
        """Leave what was begun. Returns whether there was anything."""
        if self._subject is not None and self._subject.asking is not None:
            return False
        left = self.pencil.back()
        self.layer.show_all()
        return left

    def _first(self, do: Callable[[], bool], otherwise: Callable[[], object]) -> None:
        if do():
            self._touched()
        else:
            otherwise()

    def _begin(self, tool: Kind) -> None:
        if self._frame() is None or self.keeper.now is None:
            self.fault.emit(_(_NO_FRAME))
            return
        self._leave_others()
        self._show()  # a frame that is held for this was not shown yet
        self.pencil.begin(tool)
        self._touched()
        if self.hint:
            self.message.emit(self.hint)

    def _put_away(self) -> bool:
        self.pencil.tool = None
        self.pencil.let_go()
        return False

    def _entered(self) -> bool:
        one = self.pencil.one
        if one is not None and one.kind == "text":
            self._ask_again(one.number)
            return True
        return self.pencil.place_by_key() or one is not None

    def _removed(self) -> bool:
        number, now = self.pencil.chosen, self.keeper.now
        if number is None or now is None:
            return False
        self.pencil.let_go()
        self.keeper.set(now.without(number), self._mark)
        return True

    def _next_handle(self, step: int) -> bool:
        return self.pencil.active and self.pencil.next_handle(step)

    def _turn(self, step: int) -> bool:
        return self.pencil.turn(step)

    def _nudge(self, right: float, down: float) -> bool:
        return self.pencil.nudge(right, down)

    # What was drawn.

    def _placed(self, made: Annotation) -> None:
        if self.keeper.now is None:
            return
        made = replace(made, number=self.keeper.now.next_number())
        if made.kind == "text":
            self._ask(made)
        else:
            self._keep(made)

    def _moved(self, one: Annotation) -> None:
        self._keep(one, choose=False)

    def _keep(self, one: Annotation, choose: bool = True) -> None:
        now, subject = self.keeper.now, self._subject
        if now is None or subject is None:
            return
        if subject.looking_only:
            self.fault.emit(_(ONLY_LOOKED_AT))
            return
        try:
            wanted = now.put(one)
        except UsageError as error:
            self.fault.emit(str(error))
            if one.kind == "text":
                self._ask(one)
            return
        if not subject.save(one.frame_index):
            return
        self.keeper.set(wanted, self._mark)
        if choose:
            self._show()
            self.pencil.choose(one.number)
        self._touched()

    def _ask(self, one: Annotation) -> None:
        if self._subject is not None:
            self._subject.asking = Asking(_(_WHAT), one.text, then=lambda text: self._answer(one, text))

    def _ask_again(self, number: int) -> None:
        now = self.keeper.now
        one = None if now is None else next((each for each in now.items if each.number == number), None)
        if one is not None and one.kind == "text" and not self._looking_only:
            self._ask(one)
            self.changed.emit()

    def _answer(self, one: Annotation, text: str) -> None:
        if text.strip():
            self._keep(replace(one, text=text))

    # What is shown.

    def tick(self) -> None:
        """Show what is on this frame: to be called often."""
        self.keeper.go_on()
        self._show()
        self.layer.show_all()
        if self._view.isVisible():  # the buttons are those of the page that is shown
            for tool, action in self._actions.items():
                action.setChecked(tool == self.pencil.tool)

    @property
    def hint(self) -> str:
        """What to do next with the tool that is on, or ""."""
        return "" if self.pencil.tool is None else tool_hint(self.pencil.tool, self._keys)

    @property
    def _looking_only(self) -> bool:
        return self._subject is None or self._subject.looking_only

    def _show(self) -> None:
        frame, now = self._frame(), self.keeper.now
        there = () if frame is None or now is None else now.of_frame(frame.index)
        self.pencil.show(frame, there)

    def _frame(self) -> Frame | None:
        subject = self._subject
        packet = None if subject is None else subject.packet
        if packet is None or subject is None:
            return None
        size = packet.picture.width, packet.picture.height
        return Frame(packet.index, *size, subject.plane_of(packet.index))

    @property
    def _mark(self) -> object:
        return None if self._subject is None else self._subject.mark

    def _touched(self) -> None:
        self._show()
        self.layer.show_all()
        self.changed.emit()


def _nothing() -> None:
    """What a key does that does nothing else."""
