"""What the checklist says, as data: pure functions from a protocol's state to texts. No Qt here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from types import MappingProxyType
from typing import Final

from app.formatting import percent
from semc_core.language import N_, _
from semc_core.protocols.checklist import Checklist, ChecklistItem, Evidence, Status, progress_words
from semc_core.protocols.fitting import brought_protocol, fitting_protocol
from semc_core.protocols.loader import ProtocolBook
from semc_core.protocols.protocol import Protocol, unknown_sentence
from semc_core.session.correcting.changes import NOT_POSSIBLE, SetItem
from semc_core.text import scan_time

AUTOMATIC = "auto"
"""In place of a protocol's id: the one whose planes the model knows."""

NO_PROTOCOL = ""
"""In place of a protocol's id: none."""

REASONS = (
    N_("Gas"),
    N_("Body habitus"),
    N_("Position"),
    N_("Shadow of bone"),
    N_("Removed by surgery"),
    N_("No time"),
)
"""Why an item is not possible, to be chosen with one click; in English where it is kept."""

_STATUSES: Final = MappingProxyType(
    {
        Status.FOUND: N_("found"),
        Status.WEAK: N_("weak"),
        Status.MISSING: N_("missing"),
        Status.NOT_POSSIBLE: N_("not possible"),
        Status.UNKNOWN: N_("unknown to the model"),
    }
)


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One line.

    Attributes:
        item_id: Of the item.
        title: In words.
        status: Decides the mark and its colour.
        status_text: One or two words, or a confidence: the status does not hang on the mark alone.
        tip: All there is to say, in a few sentences.
        plane: Class name of the plane that shows it best, or "".
        plane_id: Its number, or None.
        optional: It does not count.
    """

    item_id: str
    title: str
    status: Status
    status_text: str
    tip: str
    plane: str = ""
    plane_id: int | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class FetusTab:
    """One of several fetuses.

    Attributes:
        letter: Of the fetus.
        text: The letter, and how far its checklist is: "B  4 / 6".
        tip: The same in a sentence, and whether it is the one that is scanned.
        scanned: Whether it is scanned now, or in review at the frame that is shown.
    """

    letter: str
    text: str
    tip: str
    scanned: bool


@dataclass(frozen=True, slots=True)
class ChecklistView:
    """What the panel shows.

    Attributes:
        title: Of the protocol; of several fetuses with the letter before it.
        progress: "4 / 6".
        share: Completeness, 0-1.
        summary: The same in a sentence.
        rows: In the protocol's order.
        warning: What the model does not know, in a sentence, or "".
        fetus: Letter of the fetus that it is of; "" where there is one only.
        tabs: Of all fetuses; none where there is one only.
    """

    title: str
    progress: str
    share: float
    summary: str
    rows: tuple[ChecklistRow, ...]
    warning: str = ""
    fetus: str = ""
    tabs: tuple[FetusTab, ...] = ()

    @property
    def away(self) -> bool:
        """Whether it is of another fetus than the one that is scanned."""
        return any(tab.scanned and tab.letter != self.fetus for tab in self.tabs)


def chosen_protocol(book: ProtocolBook, choice: str, model_planes: Collection[str] | None) -> Protocol | None:
    """The protocol to show.

    Args:
        book: All there are.
        choice: An id, `AUTOMATIC`, or `NO_PROTOCOL`. One that is gone counts as automatic.
        model_planes: The model's planes; None while the model is not known.
    """
    if choice == NO_PROTOCOL:
        return None
    found = book.get(choice)
    if found is not None or model_planes is None:
        return found
    return fitting_protocol(book, model_planes)


def brought_choice(book: ProtocolBook, choice: str, model_planes: Collection[str], said: str) -> str:
    """The choice that goes with a model which is chosen: its protocol, unless none was wanted.

    Args:
        book: All there are.
        choice: That was followed before.
        model_planes: See `chosen_protocol`.
        said: Id of the protocol that the model file says, or "".
    """
    if choice == NO_PROTOCOL:
        return NO_PROTOCOL
    brought, fitting = brought_protocol(book, model_planes, said), fitting_protocol(book, model_planes)
    # What would be followed anyway is left open, so that the next model brings its own.
    return AUTOMATIC if brought is None or brought is fitting else brought.id


def checklist_view(state: Checklist, model_planes: Collection[str] | None, enter: float) -> ChecklistView:
    """The panel's texts.

    Args:
        state: Of the protocol.
        model_planes: As in `chosen_protocol`.
        enter: The model's `Thresholds.enter`, 0-1.
    """
    required, share = state.required, f"{state.completeness:.0%}"
    settled = sum(row.settled for row in required)
    return ChecklistView(
        title=_(state.protocol.title),
        progress=f"{settled} / {len(required)}",
        share=state.completeness,
        summary=_("{percent} complete: {progress}.", percent=share, progress=progress_words(state)),
        rows=tuple(_row(row, enter) for row in state.rows),
        warning="" if model_planes is None else unknown_sentence(state.protocol, model_planes, most=3),
    )


def status_word(status: Status) -> str:
    """How an item stands, in a word or two."""
    return _(_STATUSES[status])


def of_several(
    states: Sequence[Checklist], shown: str, scanned: str, model_planes: Collection[str] | None, enter: float
) -> ChecklistView:
    """The panel's texts where there are several fetuses, or one.

    Args:
        states: The protocol of each, at least one.
        shown: Letter of the one whose list is shown; "" is the one that is scanned.
        scanned: Letter of that; "" where there is one only.
        model_planes: As in `chosen_protocol`.
        enter: The model's `Thresholds.enter`, 0-1.
    """
    state = next((one for one in states if one.fetus == (shown or scanned)), states[0])
    view = checklist_view(state, model_planes, enter)
    if len(states) == 1:
        return view
    title = _("Fetus {letter}: {title}", letter=state.fetus, title=view.title)
    tabs = tuple(_tab(one, one.fetus == scanned) for one in states)
    return replace(view, title=title, fetus=state.fetus, tabs=tabs)


def _tab(state: Checklist, scanned: bool) -> FetusTab:
    required = state.required
    done = sum(row.settled for row in required)
    text = f"{state.fetus}  {done} / {len(required)}"
    said = {"letter": state.fetus, "done": done, "open": len(required) - done}
    if scanned:
        tip = _("Fetus {letter}, which is scanned here: {done} done, {open} open.", **said)
    else:
        tip = _("Fetus {letter}: {done} done, {open} open.", **said)
    return FetusTab(state.fetus, f"▸ {text}" if scanned else text, tip, scanned)


def _row(row: ChecklistItem, enter: float) -> ChecklistRow:
    best, said = row.best, _tip(row, enter)
    tip = ": ".join((_(row.item.title), said))
    if row.item.optional:
        tip = _("{title} (optional): {status}", title=_(row.item.title), status=said)
    return ChecklistRow(
        item_id=row.item.id,
        title=_(row.item.title),
        status=row.status,
        status_text=_status_text(row, enter),
        tip=tip,
        plane="" if best is None else best.plane,
        plane_id=None if best is None else best.plane_id,
        optional=row.item.optional,
    )


def _status_text(row: ChecklistItem, enter: float) -> str:
    best = row.best
    if row.status is Status.FOUND and best is not None:
        return _("by you") if best.confidence < enter else percent(best.confidence)
    if row.status is Status.WEAK and best is not None:
        return _("weak {percent}", percent=percent(best.confidence)) if best.saved else _("not saved")
    if row.status is Status.UNKNOWN:
        return _("by hand")
    if row.status is Status.MISSING and row.item.optional:
        return _("optional")
    return status_word(row.status)


def _tip(row: ChecklistItem, enter: float) -> str:
    best = row.best
    if row.status is Status.NOT_POSSIBLE:
        reason = _(row.reason).rstrip(". ")
        return _("not possible. {reason}.", reason=reason) if reason else _("not possible.")
    if row.status is Status.UNKNOWN:
        return _("the model does not know this plane; save a frame of it by hand, and name it in review.")
    if best is None:
        return _("missing ({planes}).", planes=reduce(_or, row.item.planes))
    where = {"plane": best.plane, "percent": percent(best.confidence), "time": scan_time(best.time_s)}
    if row.status is Status.FOUND and best.named:
        return _("found, {plane} {percent} at {time}, named by a person.", **where)
    if row.status is Status.FOUND:
        return _("found, {plane} {percent} at {time}.", **where)
    return _("weak, {plane} {percent} at {time}.", **where) + f" {_why_weak(best, enter)}"


def _or(one: str, other: str) -> str:
    return _("{one} or {other}", one=one, other=other)


def _why_weak(best: Evidence, enter: float) -> str:
    if not best.saved:
        return _("Its picture was not written.")
    sure = _("The model should be {percent} sure.", percent=percent(enter))
    if best.by_hand:
        sure = _("Captured by hand; the model should be {percent} sure.", percent=percent(enter))
    what_to_do = _("Hold the plane longer, or in review confirm its name or choose a better frame.")
    return f"{sure} {what_to_do}"


def choices(book: ProtocolBook) -> tuple[tuple[str, str], ...]:
    """What can be chosen: id and title of each."""
    own: Iterable[tuple[str, str]] = (
        (one.id, _("{title} (your own)", title=one.title) if one.own else _(one.title))
        for one in book.protocols
    )
    return ((AUTOMATIC, _("What the model knows")), *own, (NO_PROTOCOL, _("No protocol")))


def word_on(protocol: Protocol, item_id: str, reason: str | None, fetus: str = "") -> SetItem:
    """The change that says that an item is not possible, and why; with None, that it is after all.

    `fetus` is the letter of the one that it is said of; "" where there is one only.
    """
    item = protocol.item(item_id)
    status = "" if reason is None else NOT_POSSIBLE
    title = "" if item is None else item.title
    return SetItem(protocol.id, item_id, status, reason or "", title, fetus)
