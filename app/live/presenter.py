"""What the window says, as data: pure functions from the pipeline's data to texts and tones. No Qt here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from app.formatting import Banner, StatusItem, Tone, duration, percent, quality_text, unlike_text
from app.keys import first_key
from semc_core.imaging.quality import NO_SIGNAL
from semc_core.labels import NON_STANDARD, full_name, short_name
from semc_core.language import N_, _, decimal, plural
from semc_core.pipeline.sink import RecordingState
from semc_core.pipeline.state import Phase, PipelineState, Spread, Statistics
from semc_core.sources.devices.measured import differs
from semc_core.sources.devices.modes import Wish, parse_wish
from semc_core.sources.devices.true_delay import TrueDelay
from semc_core.types import Crop, FramePacket, FrameResult, SavedPlane, SourceInfo, TimedBy

QUALITY_EVERY_S: Final = 1.0
"""So long a text on the quality stays: that of every frame would flicker."""

UNLIKE_OVER_S: Final = 1.0
"""Over so long it is weighed whether the pictures are unlike the training data."""

STALE_AFTER_S: Final = 0.5
"""A prediction older than this is no longer about what the picture shows."""

DELAY: Final = N_("Delay p50 / p95")
_BEGINS: Final[dict[TimedBy, str]] = {
    "driver": N_("The delay is from the driver's stamp to the painted overlay."),
    "arrival": N_("The delay is from arrival in the program to the painted overlay."),
}
_NOTHING_YET: Final = "–"

SILENT_AFTER_S: Final = 1.0
"""A running source that gave no frame for so long, and for three frames' time, is said to be silent."""


@dataclass(frozen=True, slots=True)
class Readout:
    """The large text beside the picture.

    Attributes:
        title: The plane, or what is the matter; a few words.
        detail: The plane's name in words, or what to do.
        tone: Colour.
        confidence: 0-1, of the plane, or of the closest one where there is none; None where nothing was
            classified.
        number: The confidence in words.
        age: How old the prediction is, in words, or "".
        stale: The prediction is too old to be about this picture.
        saved: A frame of the hold that is shown was saved.
        quality: Of the picture, and what would make it better, or that the model knows none like it; or "".
    """

    title: str
    detail: str
    tone: Tone
    confidence: float | None = None
    number: str = ""
    age: str = ""
    stale: bool = False
    saved: bool = False
    quality: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ShownPicture:
    """Which frame is painted, and what is painted over it.

    Attributes:
        packet: The frame.
        heat_of: The result whose heat map is laid over; it was made from this very frame. None for none.
    """

    packet: FramePacket
    heat_of: FrameResult | None


def shown_picture(
    preview: FramePacket | None, result: FrameResult | None, heat_map: bool, now_s: float
) -> ShownPicture | None:
    """Choose the frame to paint.

    The newest frame is shown as it comes, ahead of the model. With the heat map on, the frame that was
    classified last is shown instead, because the heat map belongs to it; unless it is stale, for the live
    picture never waits for the model.
    """
    if result is not None and heat_map and result.prediction is not None:
        newest_s = now_s if preview is None else preview.captured_s
        if preview is None or newest_s - result.packet.captured_s <= STALE_AFTER_S:
            return ShownPicture(result.packet, result if result.label != NON_STANDARD else None)
    if preview is not None:
        return ShownPicture(preview, None)
    return None if result is None else ShownPicture(result.packet, None)


def readout(
    state: PipelineState | None,
    result: FrameResult | None,
    age_s: float,
    *,
    classes: tuple[str, ...] = (),
    none_class: str = NON_STANDARD,
    saved: bool = False,
    held: bool = False,
    silent_s: float = 0.0,
    silent_known: bool = False,
    frame_rate: float | None = None,
    stopping: bool = False,
    quality: str = "",
    unlike: bool = False,
) -> Readout:
    """What the large text says.

    Args:
        state: Of the scan; None if there is none.
        result: Newest result, or the one held by the freeze key.
        age_s: Time since its frame was captured, seconds.
        classes: Of the model.
        none_class: Which of them says "none of these".
        saved: Whether a frame of the plane that is held was saved.
        held: The picture and its result are held by the freeze key; their age says nothing.
        silent_s: Time since the newest frame, seconds.
        silent_known: The source itself says that it gives no pictures, and the banner says why.
        frame_rate: Frames per second that the source says it gives; None if it does not say.
        stopping: The scan is being ended.
        quality: Of the picture in which a plane is named, or "".
        unlike: The pictures are not like those that the model learnt from.
    """
    phase = Phase.IDLE if state is None else state.phase
    message = "" if state is None else state.message
    if stopping:
        return Readout(_("Stopping"), _("The scan is ended; what was found is written."), Tone.NEUTRAL)
    begin, other = first_key("start_stop"), first_key("source")
    if phase is Phase.IDLE:
        detail = _("Choose a source, or press {key}.", key=begin)
        return Readout(_("No scan"), detail, Tone.NEUTRAL)
    if phase is Phase.STARTING:
        return Readout(_("Starting"), message or _("Waiting for the first frame."), Tone.NEUTRAL)
    if phase is Phase.FAULT and result is None:
        return Readout(_("No scan"), _("It could not begin; see above."), Tone.FAULT)
    if phase is Phase.FAULT:
        return Readout(_("Scan ended"), _("A fault ended it; see above."), Tone.FAULT)
    if phase is Phase.ENDED:
        again = _("Press {key} to play it again, {other} for another source.", key=begin, other=other)
        return Readout(_("End of scan"), again, Tone.NEUTRAL)
    if phase is Phase.STOPPED:
        again = _("Press {key} to start again, {other} for another source.", key=begin, other=other)
        return Readout(_("Stopped"), again, Tone.NEUTRAL)
    if result is None:
        return Readout(_("Starting"), _("Waiting for the first frame."), Tone.NEUTRAL)
    if silent_known or silent_s > silent_after_s(frame_rate):
        return _silent(duration(silent_s), silent_known)
    text = _of_result(result, age_s, classes, none_class, saved)
    if text.tone is Tone.PLANE and result.picture == "live":
        text = replace(text, quality=quality)
    if unlike and text.confidence is not None:
        text = replace(text, quality=f"{unlike_text(classes)} {text.quality}".strip())
    # Translators: of a picture that a person holds still, in the place of "2.1 s ago".
    return replace(text, age=_("held"), stale=False) if held else text


def _silent(time: str, known: bool) -> Readout:
    detail = _("No new frame for {time}; check the source.", time=time)
    if known:
        detail = _("No new frame for {time}; the scan goes on by itself.", time=time)
    return Readout(_("No picture"), detail, Tone.WARNING)


def _of_result(
    result: FrameResult, age_s: float, classes: tuple[str, ...], none_class: str, saved: bool
) -> Readout:
    shown = Readout("", "", Tone.NEUTRAL, age=age_text(age_s), stale=age_s > STALE_AFTER_S)
    if result.picture == "black":
        return replace(shown, title=_("No picture"), detail=_("The picture is black."), tone=Tone.WARNING)
    if result.picture == NO_SIGNAL:
        detail = _("Nothing comes from the scanner; check its cable, and that its output is on.")
        return replace(shown, title=_("No signal"), detail=detail, tone=Tone.WARNING)
    if result.picture == "colour":
        detail = _("Colour Doppler: nothing is saved while colour lies over the picture; switch it off.")
        return replace(shown, title=_("Colour Doppler"), detail=detail, tone=Tone.WARNING)
    if result.picture == "flat":
        detail = _("A test pattern or an empty screen.")
        return replace(shown, title=_("No scan"), detail=detail, tone=Tone.WARNING)
    frozen = result.picture == "frozen"
    frozen_detail = _("The scanner is frozen; nothing is saved.")
    if result.label != NON_STANDARD:
        return replace(
            shown,
            title=result.label,
            detail=frozen_detail if frozen else _(full_name(result.label)),
            tone=Tone.PLANE,
            confidence=result.confidence,
            number=percent(result.confidence),
            saved=saved,
        )
    if frozen:
        return replace(shown, title=_("Still picture"), detail=frozen_detail, tone=Tone.WARNING)
    name, confidence = closest_plane(result, classes, none_class)
    if not name:
        return replace(shown, title=_(short_name(NON_STANDARD)), detail=_(full_name(NON_STANDARD)))
    closest = _(full_name(name))
    return replace(
        shown,
        title=_(short_name(NON_STANDARD)),
        detail=_("Closest: {plane}", plane=closest),
        confidence=confidence,
        number=f"{name} {percent(confidence)}",
    )


def silent_after_s(frame_rate: float | None) -> float:
    """How long a source of `frame_rate` frames per second may give nothing, seconds."""
    return max(SILENT_AFTER_S, 3 / frame_rate) if frame_rate else SILENT_AFTER_S


def closest_plane(
    result: FrameResult, classes: tuple[str, ...], none_class: str = NON_STANDARD
) -> tuple[str, float]:
    """The most probable plane and its probability, though it may not be sure enough; "" without one."""
    planes = [i for i, name in enumerate(classes[: len(result.smoothed)]) if name != none_class]
    if not planes:
        return "", 0.0
    best = max(planes, key=lambda i: float(result.smoothed[i]))
    return classes[best], float(result.smoothed[best])


def age_text(age_s: float) -> str:
    """ "40 ms ago", "2.1 s ago". Milliseconds in steps of ten: the last digit only flickers."""
    return _("{time} ago", time=duration(age_s))


class SteadyQuality:
    """What is said of a named plane's picture: changed at most once a second, so that it can be read."""

    def __init__(self) -> None:
        self._label = NON_STANDARD
        self._changed_s = 0.0
        self._text = ""

    def update(self, result: FrameResult) -> str:
        """Take the next result; gives the text, "" while no plane is named."""
        now_s = result.packet.pts_s
        if result.label == NON_STANDARD:
            self._text = ""
        elif result.label != self._label or not 0 <= now_s - self._changed_s < QUALITY_EVERY_S:
            self._text, self._changed_s = quality_text(result.quality), now_s
        self._label = result.label
        return self._text


class SteadyUnlike:
    """Whether the pictures are unlike the training data: said of most of a second or two, not of a frame."""

    def __init__(self) -> None:
        self._share = 0.0
        self._at_s: float | None = None
        self._unlike = False

    def update(self, result: FrameResult) -> bool:
        """Take the next result."""
        if result.prediction is None:
            return self._unlike
        now_s, before_s = result.packet.pts_s, self._at_s
        step = 0.0 if before_s is None else min(max((now_s - before_s) / UNLIKE_OVER_S, 0.0), 0.5)
        self._at_s = now_s
        self._share += step * (is_unlike(result) - self._share)
        self._unlike = self._share > (0.25 if self._unlike else 0.75)
        return self._unlike


def is_unlike(result: FrameResult) -> bool:
    """Whether this frame is unlike what the model learnt from."""
    return result.prediction is not None and result.prediction.novelty > 1


class LabelRun:
    """Since when the steady label has been what it is; says whether that hold was saved.

    As in `semc_core.pipeline.detector`, a plane that is named again within the merge gap continues its hold.
    """

    def __init__(self) -> None:
        self._label = NON_STANDARD
        self._spans: dict[str, tuple[float, float]] = {}

    def update(self, result: FrameResult, merge_gap_s: float = 0.0) -> None:
        """Take the next result, and the model's `merge_gap_s`."""
        label, now_s = result.label, result.packet.pts_s
        since_s, last_s = self._spans.get(label, (now_s, now_s))
        continued = label == self._label or 0 <= now_s - last_s <= merge_gap_s
        self._label, self._spans[label] = label, (since_s if continued else now_s, now_s)

    def saved(self, planes: Iterable[SavedPlane]) -> bool:
        """Whether one of `planes` is of the plane that is held now, and was written."""
        if self._label == NON_STANDARD:
            return False
        since_s = self._spans[self._label][0]
        return any(p.plane == self._label and p.png is not None and p.hold_end_s >= since_s for p in planes)


def region_shown(crop: Crop | None, result: FrameResult | None) -> Crop | None:
    """The region of interest to draw; none over a card's own picture, which has none."""
    return None if result is not None and result.picture == NO_SIGNAL else crop


def banner(
    state: PipelineState | None,
    info: SourceInfo | None,
    window_fault: str = "",
    read: Collection[str] = (),
    way: str = "source",
) -> Banner | None:
    """The most urgent thing to say, or None.

    Args:
        state: Of the scan.
        info: Of the source; it may have a notice.
        window_fault: What went wrong outside of the scan.
        read: Texts that the user has put away.
        way: Name of the way out of `window_fault`; "" where its sentence says what to do.
    """
    known: list[Banner] = []
    if window_fault:
        known.append(Banner(window_fault, True, (way,) if way else ()))
    if state is not None and state.message and state.phase is not Phase.STARTING:
        ways: tuple[str, ...] = ("change_folder",)
        if state.phase is Phase.FAULT:
            ways = ("model", "start_stop") if state.model_fault else ("source", "start_stop")
        known.append(Banner(state.message, True, ways))
    if info is not None and info.notice:
        known.append(Banner(info.notice, False))
    unread = [one for one in known if one.text not in read]
    return replace(unread[0], more=tuple(one.text for one in unread[1:])) if unread else None


def status_items(statistics: Statistics, latency: Spread, pause_ms: float) -> tuple[StatusItem, ...]:
    """The numbers of the status line.

    Args:
        statistics: Of the scan.
        latency: Capture to overlay, measured by the window.
        pause_ms: Longest time the window did not answer in the last seconds.
    """
    delay = f"{latency.p50_ms:.0f} / {latency.p95_ms:.0f} ms" if latency.p50_ms else _NOTHING_YET
    return (
        StatusItem(_("Source"), f"{decimal(statistics.capture_rate, 1)} fps"),
        StatusItem(_("Model"), f"{decimal(statistics.classify_rate, 1)} fps"),
        StatusItem(_(DELAY), delay, latency.p95_ms > 150),
        _drops(statistics),
        # Translators: the longest time that the window did not answer.
        StatusItem(_("Pause"), f"{pause_ms:.0f} ms", pause_ms > 100),
    )


def with_card(items: tuple[StatusItem, ...], info: SourceInfo | None) -> tuple[StatusItem, ...]:
    """The numbers, of a capture card with size and rate as measured, beside what was asked for."""
    capture = None if info is None else info.capture
    if capture is None or capture.rate is None:
        return items
    asked = parse_wish(capture.asked) if capture.asked else Wish()
    right = asked.width in (None, capture.width) and asked.height in (None, capture.height)
    right = right and not (asked.rate and differs(asked.rate, capture.rate))
    given = f"{capture.width}x{capture.height}@{capture.rate:.0f}"
    if not right:
        wanted = replace(asked, fourcc=None).text
        given = _("{given} of {wanted}", given=given, wanted=wanted)
    name = _("Source")
    return tuple(StatusItem(name, given, not right) if item.name == name else item for item in items)


def with_delay(
    items: tuple[StatusItem, ...], info: SourceInfo | None, measured: TrueDelay | None
) -> tuple[StatusItem, ...]:
    """The numbers, with what their delay contains, and what `semc bench glass` measured beside it."""
    if info is None:
        return items
    about, glass_ms, name = _(_BEGINS[info.timed_by]), "", _(DELAY)
    if measured is not None:
        glass_ms, day = f"{measured.overlay.p50_ms:.0f}", measured.measured_utc[:10]
        about += " " + _(
            "Measured was glass to overlay {delay} ms (measured {day}).", delay=glass_ms, day=day
        )

    def with_glass(value: str) -> str:
        if not glass_ms or value == _NOTHING_YET:
            return value
        return _("{delay}, glass {glass} ms", delay=value, glass=glass_ms)

    return tuple(
        replace(item, value=with_glass(item.value), about=about) if item.name == name else item
        for item in items
    )


def ended_items(statistics: Statistics) -> tuple[StatusItem, ...]:
    """The numbers of the status line after a scan: how much it was. The rates would only fade away."""
    return (
        StatusItem(_("Frames"), f"{statistics.frames_in}"),
        StatusItem(_("Analysed"), f"{statistics.classified}"),
        _drops(statistics),
    )


def _drops(statistics: Statistics) -> StatusItem:
    share = statistics.dropped / max(1, statistics.frames_in)
    value = f"{statistics.dropped}" + (f" ({decimal(100 * share, 1)}%)" if statistics.dropped else "")
    return StatusItem(_("Drops"), value, share > 0.5)


def model_text(name: str, sha256: str, device_name: str) -> str:
    """ "semc_live 3f2a91bc · CPU, OpenVINO float32"."""
    model = f"{name} {sha256[:8]}".strip()
    return " · ".join(part for part in (model, device_name) if part)


def merged(planes: tuple[SavedPlane, ...], new: Iterable[SavedPlane]) -> tuple[SavedPlane, ...]:
    """`planes` with `new` put in: the same hold's entry is replaced at its place, others come last."""
    by_hold = {plane.hold_id: plane for plane in planes}
    for plane in new:
        by_hold[plane.hold_id] = plane
    return tuple(by_hold.values())


def badge(state: RecordingState | None) -> str:
    """ "REC 1:05" over the picture while frames are recorded, or ""."""
    if state is None or not state.active:
        return ""
    seconds = int(state.seconds)
    return f"REC {seconds // 60}:{seconds % 60:02d}"


def size_text(size_bytes: int) -> str:
    """ "340 MB", "1.2 GB"."""
    return f"{decimal(size_bytes / 1e9, 1)} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def status_of(state: RecordingState | None) -> tuple[StatusItem, ...]:
    """The numbers of the status line: size, and frames that are missing in the recording."""
    if state is None or not (state.active or state.frames):
        return ()
    name = _("Recording") if state.active else _("Recorded")
    value = size_text(state.size_bytes)
    if not state.lost:
        return (StatusItem(name, value),)
    lost = plural("{count} frame", "{count} frames", state.lost)
    return (StatusItem(name, value), StatusItem(_("Not recorded"), lost, worrying=True))
