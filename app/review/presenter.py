"""What the review page says, as data: pure functions from the session's data to texts. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.formatting import Tone, percent, quality_text, unlike_text, when_text
from app.keys import first_key
from app.view_data import CLASS_KEYS, StripItem
from semc_core.labels import NON_STANDARD, full_name, short_name
from semc_core.language import N_, _, decimal
from semc_core.review.analysis import ReviewPhase, ReviewState
from semc_core.review.inspect import row_of
from semc_core.session.correcting.sentences import Authorship, called, decided_sentence, decision
from semc_core.session.records import PERSON, PICTURES, FrameTable, PlaneEntry, RegionEntry
from semc_core.text import scan_time
from semc_core.types import Quality

_SAME_TIME_S: Final = 0.05


REASONS: Final = (N_("wrong plane"), N_("poor picture"))
"""Usual reasons to reject a plane, in the order of their keys."""
MARKED: Final = N_("marked")
"""The label of a marked region that nobody gave another."""
BY_YOU: Final = N_("by you")


def shown_words(stored: str) -> str:
    """A reason or a label as it is shown: the program's own, which are stored in English, are translated."""
    return _(stored) if stored in (*REASONS, MARKED) else stored


def stored_words(shown: str) -> str:
    """What `shown_words` is given for this."""
    return next((own for own in (*REASONS, MARKED) if _(own) == shown), shown)


class Mode(Enum):
    """What the next key or click is about."""

    LOOK = "look"
    ADD = "add"
    MARK = "mark"
    BETTER = "better"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A frame that would show a plane well.

    Attributes:
        index: Of the frame in its source.
        time_s: Its presentation time, seconds.
        confidence: Smoothed probability of the plane there, 0-1.
        small: uint8 (h, w) or (h, w, 3), at most 160 px wide.
    """

    index: int
    time_s: float
    confidence: float
    small: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One line of the list beside the picture: a plane of the model and how sure it is.

    Attributes:
        key: That chooses it, or "".
        name: Of the class.
        title: The name in words.
        share: Smoothed probability, 0-1; None where the frame was not analysed.
        named: Whether this is the steady label of the frame.
    """

    key: str
    name: str
    title: str
    share: float | None
    named: bool


@dataclass(frozen=True, slots=True)
class FrameReadout:
    """The text above that list.

    Attributes:
        title: The plane, or what is the matter.
        detail: In words.
        tone: Colour.
        rows: One for each plane.
        experts: The gate's shares; empty where the frame was not looked at.
        extra: What else there is to say, or "".
        note: Said where there is no `extra`: the quality of the picture, or "".
    """

    title: str
    detail: str
    tone: Tone
    rows: tuple[ClassRow, ...] = ()
    experts: tuple[float, ...] = ()
    extra: str = ""
    note: str = ""


def class_rows(
    classes: tuple[str, ...], none_class: str, smoothed: NDArray[np.float32] | None, label: str
) -> tuple[ClassRow, ...]:
    """The planes of a model with their keys and what it says of one frame.

    Args:
        classes: Of the model, K of them.
        none_class: Which of them says "none of these"; it is left out.
        smoothed: float32 (K,); None where the frame was not analysed.
        label: The frame's steady label.
    """
    planes = [(i, name) for i, name in enumerate(classes) if name != none_class]
    return tuple(
        ClassRow(
            key=CLASS_KEYS[n] if n < len(CLASS_KEYS) else "",
            name=name,
            title=_(full_name(name)),
            share=None if smoothed is None or not np.isfinite(smoothed[i]) else float(smoothed[i]),
            named=name == label,
        )
        for n, (i, name) in enumerate(planes)
    )


_NOT_A_SCAN: Final = {
    "black": (N_("No picture"), N_("The picture is black.")),
    "no signal": (
        N_("No signal"),
        N_("The capture card showed its own picture: nothing came from the scanner."),
    ),
    "colour": (
        N_("Colour Doppler"),
        N_("Colour Doppler: colour lies over the picture, so no plane is named here."),
    ),
    "flat": (N_("No scan"), N_("A test pattern or an empty screen.")),
}


def frame_readout(
    table: FrameTable | None,
    index: int,
    classes: tuple[str, ...],
    none_class: str,
    experts: NDArray[np.float32] | None = None,
) -> FrameReadout:
    """What was concluded from frame `index`.

    Args:
        table: What the model said so far.
        index: Of the frame that is shown.
        classes: Of the model.
        none_class: Which of them says "none of these".
        experts: float32 (E,), the gate's shares for this very frame, if it was looked at.
    """
    shares = () if experts is None else tuple(float(share) for share in experts)
    at = None if table is None else row_of(table, index)
    if table is None or at is None:
        rows = class_rows(classes, none_class, None, "")
        why = _("This frame has not been analysed yet.")
        return FrameReadout(_("Not analysed"), why, Tone.NEUTRAL, rows, shares)
    name = classes[int(table.label[at])]
    label = NON_STANDARD if name == none_class else name
    rows = class_rows(classes, none_class, table.smoothed[at], label)
    picture = PICTURES[int(table.picture[at])]
    if picture in _NOT_A_SCAN:
        title, detail = _NOT_A_SCAN[picture]
        return FrameReadout(_(title), _(detail), Tone.WARNING, rows, shares)
    extra = _("The scanner was frozen here.") if picture == "frozen" else ""
    novelty = float(table.novelty[at])
    if novelty > 1:
        extra = unlike_text(classes)
    if label == NON_STANDARD:
        none, about = _(short_name(label)), _(full_name(NON_STANDARD))
        return FrameReadout(none, about, Tone.NEUTRAL, rows, shares, extra)
    sure = f"{_(full_name(label))}, {percent(float(table.confidence[at]))}"
    note = quality_text(table.quality_at(at))
    return FrameReadout(label, sure, Tone.PLANE, rows, shares, extra, note)


class PlaneItems:
    """Makes the cards of the planes. That of a plane that did not change is the same object again."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[PlaneEntry, StripItem]] = {}
        self._of: tuple[object, object] = (None, None)
        self._items: list[StripItem] = []
        self._place: dict[int, int] = {}
        self._chosen: int | None = None

    def of(
        self, planes: Sequence[PlaneEntry], pictures: dict[str, NDArray[np.uint8]], chosen: int | None
    ) -> tuple[StripItem, ...]:
        """Cards of the planes, in order of time.

        Args:
            planes: Of the session, the rejected ones too.
            pictures: Small pictures by the name of the PNG; those still being read are missing.
            chosen: The plane that keys act on.
        """
        if self._of[0] is planes and self._of[1] is pictures:
            self._choose(pictures, chosen)
            return tuple(self._items)
        before, self._made = self._made, {}
        for plane in planes:
            pixels = None if plane.png is None else pictures.get(plane.png)
            is_chosen = plane.plane_id == chosen
            made, item = before.get(plane.plane_id, (None, None))
            if item is None or (made, item.chosen) != (plane, is_chosen) or item.pixels is not pixels:
                item = _plane_item(plane, pixels, is_chosen)
            self._made[plane.plane_id] = (plane, item)
        self._of, self._chosen = (planes, pictures), chosen
        self._items = [made[1] for made in self._made.values()]
        self._place = {key: place for place, key in enumerate(self._made)}
        return tuple(self._items)

    def _choose(self, pictures: dict[str, NDArray[np.uint8]], chosen: int | None) -> None:
        """Of the same planes and pictures only the two cards change that were and are chosen: with thousands
        of planes the others take longer than a key may.
        """
        before, self._chosen = self._chosen, chosen
        for key in {before, chosen} - {None}:
            if before != chosen and key in self._made:
                plane = self._made[key][0]
                pixels = None if plane.png is None else pictures.get(plane.png)
                item = _plane_item(plane, pixels, key == chosen)
                self._made[key] = (plane, item)
                self._items[self._place[key]] = item


def _plane_item(plane: PlaneEntry, pixels: NDArray[np.uint8] | None, chosen: bool) -> StripItem:
    state = _("rejected") if plane.rejected else _(decided_by(plane))
    upper = _(short_name(plane.plane)), percent(plane.confidence)
    return StripItem(
        key=plane.plane_id,
        pixels=pixels,
        lines=(upper, (when_text(plane.time_s, plane.fetus), state)),
        plane=plane.plane,
        mark=plane.chosen_by,
        chosen=chosen,
        rejected=plane.rejected,
        tip=plane_sentence(plane),
    )


def candidate_items(
    candidates: Sequence[Candidate], plane: PlaneEntry, shown_index: int
) -> tuple[StripItem, ...]:
    """Cards of the best frames of a hold.

    Args:
        candidates: In the order in which they are shown.
        plane: The one they are for; its own frame says so.
        shown_index: The frame that is shown; its card is the chosen one.
    """
    return tuple(
        StripItem(
            key=one.index,
            pixels=one.small,
            lines=(
                (percent(one.confidence), _("saved") if one.index == plane.frame_index else ""),
                (scan_time(one.time_s), ""),
            ),
            plane=plane.plane,
            chosen=one.index == shown_index,
            saved=one.index == plane.frame_index,
            tip=_("Frame {index}", index=one.index),
        )
        for one in candidates
    )


def better_texts(plane: PlaneEntry) -> tuple[str, str, str]:
    """Above and below the best frames of a plane, and while they are looked for."""
    about = _("Click on one or step to it; Enter saves it for the plane.")
    return _("Frames of {plane}", plane=called(plane)), about, _("Looking for the best frames …")


def saved_badge(planes: Sequence[PlaneEntry], index: int) -> str:
    """ "SAVED: FHP1" where frame `index` is a plane's saved one, "SAVED" for a capture of no plane; or ""."""
    here = [plane.plane for plane in planes if plane.frame_index == index and not plane.rejected]
    names = ", ".join(name for name in here if name != NON_STANDARD)
    return _("SAVED: {planes}", planes=names) if names else _("SAVED") if here else ""


def keys_badge(chosen: PlaneEntry | None, index: int) -> str:
    """On which plane the keys act, for the picture: "KEYS: FHP1", with its time on any other frame; or ""."""
    if chosen is None:
        return ""
    name = _("CAPTURE") if chosen.plane == NON_STANDARD else chosen.plane
    if chosen.frame_index == index:
        return _("KEYS: {plane}", plane=name)
    return _("KEYS: {plane} AT {time}", plane=name, time=scan_time(chosen.time_s))


def picture_badges(planes: Sequence[PlaneEntry], chosen: PlaneEntry | None, index: int) -> tuple[str, str]:
    """Over frame `index`: what it was saved as, and on which plane the keys act; each may be ""."""
    return saved_badge(planes, index), keys_badge(chosen, index)


def decided_by(plane: PlaneEntry) -> str:
    """Who named the plane, in a word or two of English.

    A capture has the program's name until somebody confirms it.
    """
    if plane.by_hand and plane.found_as == plane.plane:
        return N_("captured")
    return BY_YOU if plane.chosen_by == PERSON else ""


def plane_sentence(plane: PlaneEntry, quality: Quality | None = None) -> str:
    """All there is to know of a plane, in a few sentences; `quality` is its picture's."""
    name, share = _(full_name(plane.plane)), percent(plane.confidence)
    text = _("{plane}, {share}, frame {index}.", plane=name, share=share, index=plane.frame_index)
    if quality is not None:
        text += f" {quality_text(quality).removesuffix('.')}."
    how = decision(plane)
    if how is Authorship.SAVED:
        confirms = _("Captured by hand; the key of its name confirms it.")
        names = _("Captured by hand; the key of a plane names it.")
        text += f" {names if plane.plane == NON_STANDARD else confirms}"
    elif how is not Authorship.FOUND and not (how is Authorship.CONFIRMED and plane.rejected):
        text += f" {decided_sentence(plane)}"
    text += " " + _("Fetus {letter}.", letter=plane.fetus) if plane.fetus else ""
    if plane.rejected:
        why = shown_words(plane.reason)
        text += " " + (_("Rejected: {reason}.", reason=why) if why else _("Rejected."))
    return " ".join((text, _("Note: {note}", note=plane.note))) if plane.note else text


def neighbour(
    planes: Sequence[PlaneEntry], chosen: int | None, time_s: float, step: int
) -> PlaneEntry | None:
    """The plane to go to from the chosen one, or from a time; `step` is 1 or -1. None at the end."""
    ids = [plane.plane_id for plane in planes]
    if chosen in ids and abs(planes[ids.index(chosen)].time_s - time_s) < _SAME_TIME_S:
        at = ids.index(chosen) + step
        return planes[at] if 0 <= at < len(planes) else None
    # While none is chosen the plane at this very time is the one to go to.
    beyond = 1e-6 if chosen in ids else -1e-6
    if step > 0:
        return next((plane for plane in planes if plane.time_s > time_s + beyond), None)
    return next((plane for plane in reversed(planes) if plane.time_s < time_s - beyond), None)


def region_at(regions: Sequence[RegionEntry], time_s: float) -> RegionEntry | None:
    """The shortest marked region that holds a time."""
    holding = [region for region in regions if region.start_s <= time_s <= region.end_s]
    return min(holding, key=lambda region: region.end_s - region.start_s, default=None)


def mode_hint(mode: Mode, mark_from_s: float | None, rows: Sequence[ClassRow]) -> str:
    """The sentence over the picture that says what the next key does, or ""."""
    if mode is Mode.ADD:
        keys = "   ".join(f"{row.key} {row.name}" for row in rows if row.key)
        return _("Which plane is this?   {keys}   Esc: none", keys=keys)
    if mode is Mode.MARK and mark_from_s is not None:
        start, key = scan_time(mark_from_s), first_key("mark")
        return _("Marking from {start}: go to the end and press {key}.   Esc: not", start=start, key=key)
    if mode is Mode.REJECT:
        reasons = "   ".join(f"{number} {_(reason)}" for number, reason in enumerate(REASONS, 1))
        text = N_("Why is it rejected?   {reasons}   {number} other words   Esc: not")
        return _(text, reasons=reasons, number=len(REASONS) + 1)
    if mode is Mode.BETTER:
        use, back = first_key("use_frame"), first_key("better")
        text = N_("Choose a frame below, or step to one; {use} saves it.   {back}: as it was")
        return _(text, use=use, back=back)
    return ""


def where_texts(time_s: float, last_s: float, index: int, count: int, letter: str = "") -> tuple[str, str]:
    """The place in the loop, at length and for where there is little room.

    "0:07.3 / 1:00.0   frame 220 of 1800" and "0:07.3  220"; frames are counted from 0, as in the files.

    Args:
        time_s: Of the frame.
        last_s: Of the last frame.
        index: Of the frame in its source; in a recorded scan, in the scan.
        count: How many frames the source had by the end of the loop; 0 if there is no frame.
        letter: Of the fetus that is scanned there, where there are several.
    """
    if not count:
        return _("No frames"), _("No frames")
    now, last = when_text(time_s, letter), scan_time(last_s)
    text = N_("{now} / {last}   frame {index} of {count}")
    return _(text, now=now, last=last, index=index, count=count), f"{now}  {index}"


def progress_text(state: ReviewState, live: bool) -> str:
    """How far the analysis is.

    Args:
        state: Of the analysis.
        live: Whether the session is of a live scan, in which the frames that the model had no time for are
            not analysed.
    """
    if state.phase is ReviewPhase.LOADING:
        return _("Preparing the analysis")
    if state.phase is ReviewPhase.DONE:
        text = N_("{done} frames analysed live") if live else N_("All {done} frames analysed")
    elif state.phase is ReviewPhase.ANALYSING:
        text = N_("{done} of {total} frames analysed, {speed}x")
        text = text if state.speed_x else N_("{done} of {total} frames analysed")
    elif state.phase is ReviewPhase.PAUSED:
        text = N_("{done} of {total} frames analysed, held")
    else:
        text = N_("{done} of {total} frames analysed; then the analysis stopped")
    return _(text, done=state.done, total=state.total, speed=decimal(state.speed_x, 1))


def progress_short(state: ReviewState) -> tuple[str, float]:
    """How far the analysis is where there is little room, and for a bar, 0-1.

    At the end of a live scan it is whole, though the frames that the model had no time for are not analysed.
    """
    if state.phase is ReviewPhase.DONE:
        return _("Analysed"), 1.0
    share = state.done / max(1, state.total)
    return f"{share:.0%}", share


def strip_heading(planes: Sequence[PlaneEntry]) -> str:
    """ "Planes (5, 1 rejected)"."""
    rejected = sum(plane.rejected for plane in planes)
    if not planes:
        return _("Planes")
    text = N_("Planes ({count}, {rejected} rejected)") if rejected else N_("Planes ({count})")
    return _(text, count=len(planes) - rejected, rejected=rejected)


def empty_text(analysing: bool, has_picture: bool) -> str:
    """What the strip says where there is no plane."""
    if analysing:
        return _("None found yet. The loop is being analysed.")
    if not has_picture:
        return _("No plane was found in this session.")
    return _("No plane was found. Go to a frame and press {key} to add one.", key=first_key("add"))
