"""Every key of the window as a table: what it does, where, and what the window calls it. No Qt here.

The keys are those that a command has at first; `app.keys` knows those that were given to it, a foot pedal's
say. The texts are what `QKeySequence` writes. Titles and sentences are translated where they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.view_data import CLASS_KEYS, LIVE_NAME_KEYS
from semc_core.language import N_

START: Final = "start"
LIVE: Final = "live"
REVIEW: Final = "review"
TRAIN: Final = "train"
EVERYWHERE: Final = (START, LIVE, REVIEW, TRAIN)
"""The pages of the window. The same key may do one thing on one page and another on the next."""


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """One thing the window can do.

    Attributes:
        name: What the window calls it.
        title: For the tool bar, one or two words.
        keys: Key sequences; the first is the one shown on the button.
        help: A sentence for the list of keys; "" leaves it out there.
        pages: Where the key works; on any other page it types text or does nothing.
        repeats: Whether holding the key down does it again and again.
        shown: What the list of keys says instead of `keys`.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    help: str
    pages: tuple[str, ...] = (LIVE,)
    repeats: bool = False
    shown: str = ""


def _both(name: str, title: str, keys: tuple[str, ...], help_text: str, repeats: bool = False) -> KeyBinding:
    """Works in review, and on the picture that is held during a scan."""
    return KeyBinding(name, title, keys, help_text, (LIVE, REVIEW), repeats)


def _review(
    name: str, title: str, keys: tuple[str, ...], help_text: str, repeats: bool = False, shown: str = ""
) -> KeyBinding:
    return KeyBinding(name, title, keys, help_text, (REVIEW,), repeats, shown)


# F2-F8, PageUp and PageDown are what foot pedals and presenters usually send.
_GENERAL: Final = (
    KeyBinding(
        "source",
        N_("Source"),
        ("N",),
        N_("Choose another source: camera, stream, file, simulated scan"),
        EVERYWHERE,
    ),
    KeyBinding("open_file", N_("Open file"), ("O",), N_("Open a recorded cine loop or an image"), EVERYWHERE),
    KeyBinding(
        "review", N_("Review"), ("V",), N_("Review the scan that was made, or a recorded loop"), EVERYWHERE
    ),
)
_LIVE: Final = (
    KeyBinding("start_stop", N_("Start"), ("S", "F2"), N_("Start or stop the scan"), (START, LIVE)),
    KeyBinding(
        "freeze",
        N_("Freeze"),
        ("Space", "F4", "PgUp"),
        N_("Hold the picture; planes are still found and saved"),
    ),
    KeyBinding(
        "capture",
        N_("Capture"),
        ("C", "Return", "Enter", "F5", "PgDown"),
        N_("Save the frame now, whatever it shows"),
    ),
    KeyBinding(
        "heat_map",
        N_("Heat map"),
        ("H", "F6"),
        N_("Show where in the picture the model sees the plane: as a light tint, then a contour, then not"),
        (LIVE, REVIEW),
    ),
    KeyBinding("region", N_("Region"), ("R", "F7"), N_("Set the region of interest: drag over the picture")),
    KeyBinding(
        "auto_region", N_("Auto region"), ("A", "F8"), N_("Find the region of interest automatically")
    ),
    KeyBinding(
        "last_saved", N_("Last saved"), ("L",), N_("Look at the plane chosen in the strip, or saved last")
    ),
    KeyBinding(
        "record", N_("Record"), ("F9", "Shift+R"), N_("Record the scan into its session, or no further")
    ),
    KeyBinding(
        "tap",
        N_("Raw signal"),
        ("Ctrl+R",),
        N_("Keep what the card or stream sends, undecoded; once more saves the newest 10 s of it"),
    ),
)
STRIP: Final = (
    *(
        KeyBinding(
            f"name_{key}",
            N_("Name"),
            (key,),
            N_("Name the capture, or the plane chosen in the strip: the planes of the protocol, in its order")
            if key == "1"
            else "",
            shown="1 – 9, B D G J M Q T U Z",
        )
        for key in LIVE_NAME_KEYS
    ),
    KeyBinding("strip_back", N_("Plane back"), (",",), N_("Choose the saved plane before"), repeats=True),
    KeyBinding(
        "strip_on", N_("Plane on"), (".",), N_("Choose the next saved plane, in the strip"), repeats=True
    ),
    KeyBinding("strip_reject", N_("Reject"), ("X",), N_("Reject the chosen plane, or take it back")),
    KeyBinding(
        "same_examination",
        N_("Same examination"),
        ("Ctrl+G",),
        N_("This scan goes on with the examination of the scan before, or no longer"),
    ),
)
HELD: Final = (
    # C, L and S do something else during a scan.
    KeyBinding(
        "live_distance", N_("Distance"), ("Shift+D",), N_("Hold the picture, and measure a distance in it")
    ),
    KeyBinding(
        "live_ellipse", N_("Ellipse"), ("Shift+C",), N_("Measure an ellipse: click on both ends of an axis")
    ),
    KeyBinding(
        "live_trace", N_("Trace"), ("Shift+L",), N_("Measure along a line: drag, or click corner by corner")
    ),
    KeyBinding("live_area", N_("Area"), ("Shift+Q",), N_("Measure an area: drag around it")),
    KeyBinding(
        "live_angle", N_("Angle"), ("Shift+G",), N_("Measure an angle: click on an arm, the corner, an arm")
    ),
    KeyBinding("live_scale", N_("Scale"), ("Shift+S",), N_("Set the scale: a line over a known length")),
    KeyBinding(
        "nudge_left",
        N_("Nudge"),
        ("Left",),
        N_("Move the chosen handle by a pixel, with Shift by ten"),
        repeats=True,
        shown=N_("Arrows"),
    ),
    KeyBinding("nudge_right", N_("Right"), ("Right",), "", repeats=True),
    KeyBinding("nudge_up", N_("Up"), ("Up",), "", repeats=True),
    KeyBinding("nudge_down", N_("Down"), ("Down",), "", repeats=True),
    KeyBinding("nudge_left_far", N_("Far left"), ("Shift+Left",), "", repeats=True),
    KeyBinding("nudge_right_far", N_("Far right"), ("Shift+Right",), "", repeats=True),
    KeyBinding(
        "turn_left", N_("Turn left"), ("-",), N_("Turn the probe of the chosen body mark left"), repeats=True
    ),
    KeyBinding("turn_right", N_("Turn right"), ("+", "="), N_("Turn it right"), repeats=True),
)
_REVIEW: Final = (
    _review("play", N_("Play"), ("Space", "F4"), N_("Play, or hold the picture")),
    _review("step_back", N_("Frame back"), ("Left", ","), N_("One frame back"), repeats=True),
    _review("step_on", N_("Frame on"), ("Right", "."), N_("One frame on"), repeats=True),
    _review("second_back", N_("Second back"), ("Shift+Left",), N_("One second back"), repeats=True),
    _review("second_on", N_("Second on"), ("Shift+Right",), N_("One second on"), repeats=True),
    _review("to_start", N_("First frame"), ("Home",), N_("To the first frame")),
    _review("to_end", N_("Last frame"), ("End",), N_("To the last frame")),
    _review("previous_plane", N_("Plane back"), ("Up", "PgUp"), N_("To the plane before"), repeats=True),
    _review("next_plane", N_("Plane on"), ("Down", "PgDown"), N_("To the next plane"), repeats=True),
    _review("slower", N_("Slower"), ("-",), N_("Play slower, down to a tenth")),
    _review("faster", N_("Faster"), ("+", "="), N_("Play faster, up to four times")),
    _review(
        "compare",
        N_("Compare"),
        ("Shift+B",),
        N_("Show the chosen plane's frame beside this one, or one only"),
    ),
    _review(
        "link",
        N_("Link"),
        ("Ctrl+B",),
        N_("Link both pictures, in time and zoom, or let the second one stay"),
    ),
    _review(
        "loop", N_("Loop"), ("R",), N_("Play the hold of the chosen plane again and again, or no longer")
    ),
    _review(
        "next_doubt", N_("Doubt on"), ("Z",), N_("To the next stretch in which the model is in doubt"), True
    ),
    _review("previous_doubt", N_("Doubt back"), ("Shift+Z",), N_("To the doubtful stretch before"), True),
    _review("next_correction", N_("Correction on"), ("J",), N_("To what a person decided next"), True),
    _review(
        "previous_correction",
        N_("Correction back"),
        ("Shift+J",),
        N_("To what a person decided before"),
        True,
    ),
    *(
        _review(
            f"class_{i + 1}",
            N_("Name"),
            (key,),
            N_("Give the chosen plane this name, or confirm it (see the list beside the picture)")
            if i == 0
            else "",
            shown="1 – 9, 0",
        )
        for i, key in enumerate(CLASS_KEYS)
    ),
    _review("reject", N_("Reject"), ("X",), N_("Reject the chosen plane, or take it back")),
    _both(
        "remove",
        N_("Take away"),
        ("Del", "Backspace"),
        N_("Take the chosen measurement away; without one as X"),
    ),
    _review("reject_why", N_("Reject for"), ("Shift+X",), N_("Reject the chosen plane, and say why")),
    _review(
        "better", N_("Better"), ("B",), N_("Show the best frames of the chosen plane, to choose another")
    ),
    _review(
        "use_frame", N_("Use"), ("Return", "Enter", "U"), N_("Save the frame shown for the chosen plane")
    ),
    _review("add", N_("Add"), ("A",), N_("Add a plane that was missed, at the frame shown")),
    _review("mark", N_("Mark"), ("M",), N_("Mark a region of time: press at its start and at its end")),
    _review("unmark", N_("Unmark"), ("Shift+M",), N_("Take away the marked region under the playhead")),
    _review("label", N_("Name region"), ("Ctrl+M",), N_("Name the marked region under the playhead anew")),
    _review("note", N_("Note"), ("T",), N_("Write a note on the chosen plane, or on the whole session")),
    _review(
        "delete_recording", N_("Free disk"), ("Ctrl+Del",), N_("Delete the session's recording; asks first")
    ),
    _review("measure_distance", N_("Distance"), ("D",), N_("Measure a distance: click on both ends")),
    _review(
        "measure_ellipse", N_("Ellipse"), ("C",), N_("Measure an ellipse: click on both ends of an axis")
    ),
    _review(
        "measure_trace", N_("Trace"), ("L",), N_("Measure along a line: drag, or click corner by corner")
    ),
    _review(
        "measure_area", N_("Area"), ("Q",), N_("Measure an area: drag around it, or click corner by corner")
    ),
    _review(
        "measure_angle", N_("Angle"), ("G",), N_("Measure an angle: click on an arm, the corner, an arm")
    ),
    _review(
        "measure_scale", N_("Scale"), ("S",), N_("Set the scale: a line over a known length, in millimetres")
    ),
    _both("annotate_text", N_("Text"), ("Shift+T",), N_("Write on the picture: click where, or press Enter")),
    _both("annotate_arrow", N_("Arrow"), ("Shift+A",), N_("Draw an arrow on it: click on tail and head")),
    _both(
        "annotate_mark", N_("Body mark"), ("Shift+P",), N_("Draw a body with the probe; again: another body")
    ),
    _both(
        "next_handle", N_("Handle"), ("W",), N_("Choose the next handle; the arrow keys move it by a pixel")
    ),
    _both("handle_back", N_("Handle back"), ("Shift+W",), N_("Choose the handle before")),
    _both(
        "nudge_up_far",
        N_("Far up"),
        ("Shift+Up",),
        N_("Move the chosen handle up by ten pixels"),
        repeats=True,
    ),
    _both(
        "nudge_down_far",
        N_("Far down"),
        ("Shift+Down",),
        N_("Move the chosen handle down by ten pixels"),
        repeats=True,
    ),
    _both("accept_head", N_("Accept head"), ("Y",), N_("Accept the head that is proposed on a brain plane")),
    _both(
        "name_measure", N_("Name measure"), ("I",), N_("Say what the chosen measurement shows, a head say")
    ),
    _both(
        "ask_age", N_("Age"), ("Ctrl+D",), N_("Say how far the pregnancy is, by due date, last period or CRL")
    ),
    _both(
        "brighter",
        N_("Brighter"),
        ("Ctrl+Up",),
        N_("Show the picture brighter, on screen only"),
        repeats=True,
    ),
    _both("darker", N_("Darker"), ("Ctrl+Down",), N_("Show it darker"), repeats=True),
    _both("more_contrast", N_("Contrast"), ("Ctrl+Right",), N_("Show it with more contrast"), repeats=True),
    _both(
        "less_contrast", N_("Less contrast"), ("Ctrl+Left",), N_("Show it with less contrast"), repeats=True
    ),
    _both(
        "neutral", N_("Neutral"), ("Ctrl+Home",), N_("Show the picture as it is again: brightness, contrast")
    ),
    _both("undo", N_("Undo"), ("Ctrl+Z",), N_("Undo the last correction"), repeats=True),
    _both("redo", N_("Redo"), ("Ctrl+Y", "Ctrl+Shift+Z"), N_("Do it again"), repeats=True),
    _review(
        "zoom_in", N_("Zoom in"), ("Ctrl++", "Ctrl+="), N_("See less of the time line, larger"), repeats=True
    ),
    _review("zoom_out", N_("Zoom out"), ("Ctrl+-",), N_("See more of the time line"), repeats=True),
    _review("zoom_all", N_("Whole"), ("Ctrl+0",), N_("See the whole time line")),
)
_ALWAYS: Final = (
    KeyBinding(
        "checklist",
        N_("Checklist"),
        ("K",),
        N_("Open or close the checklist of the protocol"),
        (LIVE, REVIEW),
    ),
    _both(
        "reference",
        N_("Reference"),
        ("Shift+K",),
        N_("Show beside it how the protocol says that the plane should look, or no longer"),
    ),
    _both("fetus", N_("Fetus"), ("F3",), N_("Twins: from here on it is the next fetus, at first fetus B")),
    _both("one_more_fetus", N_("More fetuses"), ("Shift+F3",), N_("From here on it is one fetus more: C, D")),
    _review("move_fetus", N_("Move"), ("Shift+O",), N_("Move the chosen plane to the next fetus")),
    KeyBinding(
        "export",
        N_("Export"),
        ("E",),
        N_("Hand over what was found: pictures, report, DICOM"),
        (LIVE, REVIEW),
    ),
    KeyBinding("train", N_("Train"), ("Ctrl+T",), N_("Train a model; choose among your models"), EVERYWHERE),
    KeyBinding(
        "worklist",
        N_("Worklist"),
        ("Ctrl+L",),
        N_("Choose the examination that the scan belongs to"),
        (START, LIVE),
    ),
    KeyBinding(
        "examination",
        N_("Patient"),
        ("Ctrl+I",),
        N_("Fill in the examination by hand"),
        (START, LIVE, REVIEW),
    ),
    KeyBinding(
        "priors",
        N_("Earlier"),
        ("Ctrl+P",),
        N_("Find an earlier study on a server, and review it"),
        (START, REVIEW),
    ),
    KeyBinding(
        "sessions",
        N_("Sessions"),
        ("Ctrl+O",),
        N_("Find a session among all; review it, or delete it"),
        (START, REVIEW),
    ),
    KeyBinding(
        "loops",
        N_("Loops"),
        ("Ctrl+R",),
        N_("Review several loops: a list, analysed one after another"),
        (START, REVIEW),
    ),
    KeyBinding(
        "sending", N_("Sending"), ("Ctrl+E",), N_("Servers, and what is being sent to them"), EVERYWHERE
    ),
    KeyBinding(
        "preferences",
        N_("Preferences"),
        ("Ctrl+,",),
        N_("Folders, keys, looks, and what is kept"),
        EVERYWHERE,
    ),
    KeyBinding("folder", N_("Folder"), ("P",), N_("Show the folder of saved planes"), EVERYWHERE),
    KeyBinding("full_screen", N_("Full screen"), ("F", "F11"), N_("Fill the screen, or go back"), EVERYWHERE),
    KeyBinding(
        "picture",
        N_("Picture"),
        ("Shift+F",),
        N_("Show the picture alone, on the second screen where there is one; or hide it"),
        (LIVE, REVIEW),
    ),
    _both(
        "large_words",
        N_("Large words"),
        ("Ctrl+F",),
        N_("Beside it in large words: the plane, and what is open"),
    ),
    KeyBinding("help", N_("Keys"), ("?", "F1"), N_("Show or hide this list"), EVERYWHERE),
    KeyBinding("escape", N_("Back"), ("Esc",), N_("Leave what is open, or the full screen"), EVERYWHERE),
    KeyBinding(
        "quit", N_("Quit"), ("Ctrl+Q",), N_("Close the program; the scan is ended and saved"), EVERYWHERE
    ),
)
BINDINGS: Final = (*_GENERAL, *_LIVE, *STRIP, *HELD, *_REVIEW, *_ALWAYS)
