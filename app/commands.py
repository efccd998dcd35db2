"""Every key of the window as data, and which of them work at the moment. No Qt here.

The keys are those that a command has at first; `app.keys` knows those that were given to it, a foot pedal's
say. The texts are what `QKeySequence` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.view_data import CLASS_KEYS, LIVE_NAME_KEYS

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
        "source", "Source", ("N",), "Choose another source: camera, stream, file, simulated scan", EVERYWHERE
    ),
    KeyBinding("open_file", "Open file", ("O",), "Open a recorded cine loop or an image", EVERYWHERE),
    KeyBinding("review", "Review", ("V",), "Review the scan that was made, or a recorded loop", EVERYWHERE),
)
_LIVE: Final = (
    KeyBinding("start_stop", "Start", ("S", "F2"), "Start or stop the scan", (START, LIVE)),
    KeyBinding(
        "freeze", "Freeze", ("Space", "F4", "PgUp"), "Hold the picture; planes are still found and saved"
    ),
    KeyBinding(
        "capture",
        "Capture",
        ("C", "Return", "Enter", "F5", "PgDown"),
        "Save the frame now, whatever it shows",
    ),
    KeyBinding(
        "heat_map",
        "Heat map",
        ("H", "F6"),
        "Show where in the picture the model sees the plane: as a light tint, then a contour, then not",
        (LIVE, REVIEW),
    ),
    KeyBinding("region", "Region", ("R", "F7"), "Set the region of interest: drag over the picture"),
    KeyBinding("auto_region", "Auto region", ("A", "F8"), "Find the region of interest automatically"),
    KeyBinding("last_saved", "Last saved", ("L",), "Look at the plane chosen in the strip, or saved last"),
    KeyBinding("record", "Record", ("F9", "Shift+R"), "Record the scan into its session, or no further"),
    KeyBinding(
        "tap",
        "Raw signal",
        ("Shift+T",),
        "Keep what the card or stream sends, undecoded; once more saves the newest 10 s of it",
    ),
)
_STRIP: Final = (
    *(
        KeyBinding(
            f"name_{key}",
            "Name",
            (key,),
            "Name the capture, or the plane chosen in the strip: the planes of the protocol, in its order"
            if key == "1"
            else "",
            shown="1 – 9, B D G J M Q T U Z",
        )
        for key in LIVE_NAME_KEYS
    ),
    KeyBinding("strip_back", "Plane back", (",",), "Choose the saved plane before", repeats=True),
    KeyBinding("strip_on", "Plane on", (".",), "Choose the next saved plane, in the strip", repeats=True),
    KeyBinding("strip_reject", "Reject", ("X",), "Reject the chosen plane, or take it back"),
)
_HELD: Final = (
    # C, L and S do something else during a scan.
    KeyBinding("live_distance", "Distance", ("Shift+D",), "Hold the picture, and measure a distance in it"),
    KeyBinding("live_ellipse", "Ellipse", ("Shift+C",), "Measure an ellipse: click on both ends of an axis"),
    KeyBinding("live_trace", "Trace", ("Shift+L",), "Measure along a line: drag, or click corner by corner"),
    KeyBinding("live_area", "Area", ("Shift+Q",), "Measure an area: drag around it"),
    KeyBinding("live_angle", "Angle", ("Shift+G",), "Measure an angle: click on an arm, the corner, an arm"),
    KeyBinding("live_scale", "Scale", ("Shift+S",), "Set the scale: a line over a known length"),
    KeyBinding(
        "nudge_left",
        "Nudge",
        ("Left",),
        "Move the chosen handle by a pixel, with Shift by ten",
        repeats=True,
        shown="Arrows",
    ),
    KeyBinding("nudge_right", "Right", ("Right",), "", repeats=True),
    KeyBinding("nudge_up", "Up", ("Up",), "", repeats=True),
    KeyBinding("nudge_down", "Down", ("Down",), "", repeats=True),
    KeyBinding("nudge_left_far", "Far left", ("Shift+Left",), "", repeats=True),
    KeyBinding("nudge_right_far", "Far right", ("Shift+Right",), "", repeats=True),
)
_REVIEW: Final = (
    _review("play", "Play", ("Space", "F4"), "Play, or hold the picture"),
    _review("step_back", "Frame back", ("Left", ","), "One frame back", repeats=True),
    _review("step_on", "Frame on", ("Right", "."), "One frame on", repeats=True),
    _review("second_back", "Second back", ("Shift+Left",), "One second back", repeats=True),
    _review("second_on", "Second on", ("Shift+Right",), "One second on", repeats=True),
    _review("to_start", "Start", ("Home",), "To the first frame"),
    _review("to_end", "End", ("End",), "To the last frame"),
    _review("previous_plane", "Plane back", ("Up", "PgUp"), "To the plane before", repeats=True),
    _review("next_plane", "Plane on", ("Down", "PgDown"), "To the next plane", repeats=True),
    _review("slower", "Slower", ("-",), "Play slower, down to a tenth"),
    _review("faster", "Faster", ("+", "="), "Play faster, up to four times"),
    _review("compare", "Compare", ("Shift+B",), "Show the chosen plane's frame beside this one, or one only"),
    _review("link", "Link", ("Ctrl+B",), "Link both pictures, in time and zoom, or let the second one stay"),
    _review("loop", "Loop", ("R",), "Play the hold of the chosen plane again and again, or no longer"),
    _review("next_doubt", "Doubt on", ("Z",), "To the next stretch in which the model is in doubt", True),
    _review("previous_doubt", "Doubt back", ("Shift+Z",), "To the doubtful stretch before", True),
    _review("next_correction", "Correction on", ("J",), "To what a person decided next", True),
    _review("previous_correction", "Correction back", ("Shift+J",), "To what a person decided before", True),
    *(
        _review(
            f"class_{i + 1}",
            "Name",
            (key,),
            "Give the chosen plane this name, or confirm it (see the list beside the picture)"
            if i == 0
            else "",
            shown="1 – 9, 0",
        )
        for i, key in enumerate(CLASS_KEYS)
    ),
    _review("reject", "Reject", ("X",), "Reject the chosen plane, or take it back"),
    _both("remove", "Take away", ("Del", "Backspace"), "Take the chosen measurement away; without one as X"),
    _review("reject_why", "Reject for", ("Shift+X",), "Reject the chosen plane, and say why"),
    _review("better", "Better", ("B",), "Show the best frames of the chosen plane, to choose another"),
    _review("use_frame", "Use", ("Return", "Enter", "U"), "Save the frame shown for the chosen plane"),
    _review("add", "Add", ("A",), "Add a plane that was missed, at the frame shown"),
    _review("mark", "Mark", ("M",), "Mark a region of time: press at its start and at its end"),
    _review("unmark", "Unmark", ("Shift+M",), "Take away the marked region under the playhead"),
    _review("label", "Name region", ("Ctrl+M",), "Name the marked region under the playhead anew"),
    _review("note", "Note", ("T",), "Write a note on the chosen plane, or on the whole session"),
    _review("delete_recording", "Free disk", ("Ctrl+Del",), "Delete the session's recording; asks first"),
    _review("measure_distance", "Distance", ("D",), "Measure a distance: click on both ends"),
    _review("measure_ellipse", "Ellipse", ("C",), "Measure an ellipse: click on both ends of an axis"),
    _review("measure_trace", "Trace", ("L",), "Measure along a line: drag, or click corner by corner"),
    _review("measure_area", "Area", ("Q",), "Measure an area: drag around it, or click corner by corner"),
    _review("measure_angle", "Angle", ("G",), "Measure an angle: click on an arm, the corner, an arm"),
    _review("measure_scale", "Scale", ("S",), "Set the scale: a line over a known length, in millimetres"),
    _review("annotate_text", "Text", ("Shift+T",), "Write on the picture: click where, or press Enter"),
    _review("annotate_arrow", "Arrow", ("Shift+A",), "Draw an arrow on it: click on tail and head"),
    _review("annotate_mark", "Body mark", ("Shift+P",), "Draw a body with the probe; again: another body"),
    _both("next_handle", "Handle", ("W",), "Choose the next handle; the arrow keys move it by a pixel"),
    _both("handle_back", "Handle back", ("Shift+W",), "Choose the handle before"),
    _both("nudge_up_far", "Far up", ("Shift+Up",), "Move the chosen handle up by ten pixels", repeats=True),
    _both(
        "nudge_down_far",
        "Far down",
        ("Shift+Down",),
        "Move the chosen handle down by ten pixels",
        repeats=True,
    ),
    _both("accept_head", "Accept head", ("Y",), "Accept the head that is proposed on a brain plane"),
    _both("name_measure", "Name measure", ("I",), "Say what the chosen measurement shows, a head say"),
    _both("ask_age", "Age", ("Ctrl+D",), "Say how far the pregnancy is, by due date, last period or CRL"),
    _both("brighter", "Brighter", ("Ctrl+Up",), "Show the picture brighter, on screen only", repeats=True),
    _both("darker", "Darker", ("Ctrl+Down",), "Show it darker", repeats=True),
    _both("more_contrast", "Contrast", ("Ctrl+Right",), "Show it with more contrast", repeats=True),
    _both("less_contrast", "Less contrast", ("Ctrl+Left",), "Show it with less contrast", repeats=True),
    _both("neutral", "Neutral", ("Ctrl+Home",), "Show the picture as it is again: brightness, contrast"),
    _both("undo", "Undo", ("Ctrl+Z",), "Undo the last correction", repeats=True),
    _both("redo", "Redo", ("Ctrl+Y", "Ctrl+Shift+Z"), "Do it again", repeats=True),
    _review("zoom_in", "Zoom in", ("Ctrl++", "Ctrl+="), "See less of the time line, larger", repeats=True),
    _review("zoom_out", "Zoom out", ("Ctrl+-",), "See more of the time line", repeats=True),
    _review("zoom_all", "Whole", ("Ctrl+0",), "See the whole time line"),
)
_ALWAYS: Final = (
    KeyBinding(
        "checklist", "Checklist", ("K",), "Open or close the checklist of the protocol", (LIVE, REVIEW)
    ),
    KeyBinding(
        "export",
        "Export",
        ("E",),
        "Hand over what was found: pictures, report, DICOM",
        (LIVE, REVIEW),
    ),
    KeyBinding("train", "Train", ("Ctrl+T",), "Train a model; choose among your models", EVERYWHERE),
    KeyBinding(
        "worklist", "Worklist", ("Ctrl+L",), "Choose the examination that the scan belongs to", (START, LIVE)
    ),
    KeyBinding(
        "examination",
        "Patient",
        ("Ctrl+I",),
        "Fill in the examination by hand",
        (START, LIVE, REVIEW),
    ),
    KeyBinding(
        "priors", "Earlier", ("Ctrl+P",), "Find an earlier study on a server, and review it", (START, REVIEW)
    ),
    KeyBinding(
        "sessions",
        "Sessions",
        ("Ctrl+O",),
        "Find a session among all; review it, or delete it",
        (START, REVIEW),
    ),
    KeyBinding("sending", "Sending", ("Ctrl+E",), "Servers, and what is being sent to them", EVERYWHERE),
    KeyBinding(
        "preferences", "Preferences", ("Ctrl+,",), "Folders, keys, looks, and what is kept", EVERYWHERE
    ),
    KeyBinding("folder", "Folder", ("P",), "Show the folder of saved planes", EVERYWHERE),
    KeyBinding("full_screen", "Full screen", ("F", "F11"), "Fill the screen, or go back", EVERYWHERE),
    KeyBinding(
        "picture",
        "Picture",
        ("Shift+F",),
        "Show the picture alone, on the second screen where there is one; or hide it",
        (LIVE, REVIEW),
    ),
    _both("large_words", "Large words", ("Ctrl+F",), "Beside it in large words: the plane, and what is open"),
    KeyBinding("help", "Keys", ("?", "F1"), "Show or hide this list", EVERYWHERE),
    KeyBinding("escape", "Back", ("Esc",), "Leave what is open, or the full screen", EVERYWHERE),
    KeyBinding("quit", "Quit", ("Ctrl+Q",), "Close the program; the scan is ended and saved", EVERYWHERE),
)
CORRECTING: Final = (
    *(f"class_{number}" for number in range(1, len(CLASS_KEYS) + 1)),
    "reject",
    "remove",
    "reject_why",
    "better",
    "use_frame",
    "add",
    "mark",
    "unmark",
    "label",
    "note",
    "delete_recording",
    "examination",
    *("annotate_text", "annotate_arrow", "annotate_mark"),
    *(f"measure_{tool}" for tool in ("distance", "ellipse", "trace", "area", "angle", "scale")),
    "nudge_up_far",
    "nudge_down_far",
    "name_measure",
    "accept_head",
    "ask_age",
    "undo",
    "redo",
)
"""What changes the session in review, or leads to that."""

_ON_HELD: Final = (
    *(f"nudge_{way}" for way in ("left", "right", "up", "down")),
    *(f"nudge_{way}_far" for way in ("left", "right", "up", "down")),
    "next_handle",
    "handle_back",
    "name_measure",
    "accept_head",
    "ask_age",
)
"""What works during a scan only while the picture is held."""

BINDINGS: Final = (*_GENERAL, *_LIVE, *_STRIP, *_HELD, *_REVIEW, *_ALWAYS)

TOOL_BARS: Final = {
    START: (
        *("source", "start_stop", "review", "train", "worklist", "examination"),
        *("sending", "preferences", "full_screen", "help"),
    ),
    TRAIN: ("source", "review", "full_screen", "help"),
    LIVE: (
        *("source", "start_stop", "freeze", "capture", "heat_map", "region", "auto_region"),
        *("record", "checklist", "examination", "review", "export", "help"),
    ),
    REVIEW: (
        *("source", "reject", "better", "use_frame", "add", "mark", "note", "undo", "redo"),
        *("heat_map", "examination", "export", "help"),
    ),
}
"""The buttons of each page, in order."""


_KEY_NAMES: Final = {"PgUp": "Page up", "PgDown": "Page down", "Return": "Enter"}


def key_name(key: str) -> str:
    """A key as the window calls it."""
    return _KEY_NAMES.get(key, key)


def bindings_of(page: str) -> tuple[KeyBinding, ...]:
    """The keys that work on a page and are listed there."""
    return tuple(binding for binding in BINDINGS if page in binding.pages and binding.help)


ONLY_LOOKED_AT: Final = "Nothing can be changed here: this session is open in another window or program."
"""Why what would change the session does not work."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides which keys work.

    Attributes:
        page: That is shown.
        dialog_open: It waits for an answer; what is typed is for it.
        covered: A large view of a saved plane lies over it.
        typing: Words are being typed into the page.
        review_open: There is a session in review.
        looking_only: It is open for writing elsewhere, so nothing in it can be changed here.
        scan_to_review: The last scan is over, and what it found is there to be reviewed.
        running: A scan runs or is about to.
        stopping: A scan is being ended.
        region_by_hand: The region of interest was set by hand.
        can_start: There is something that the key to start begins: the scan before, or what was opened last.
        can_record: The scan has begun, so that it can be recorded.
        recording: Its frames are recorded.
        frozen: The picture of the scan is held.
        naming: A capture is asked for its name, or a plane in the strip is chosen.
        choosing_region: A region of interest is being dragged.
        heat_map: The heat map is laid over the picture.
        checklist_open: The checklist of the page is open.
    """

    page: str
    dialog_open: bool = False
    covered: bool = False
    typing: bool = False
    review_open: bool = False
    looking_only: bool = False
    scan_to_review: bool = False
    running: bool = False
    stopping: bool = False
    region_by_hand: bool = False
    can_start: bool = False
    can_record: bool = False
    recording: bool = False
    frozen: bool = False
    naming: bool = False
    choosing_region: bool = False
    heat_map: bool = False
    checklist_open: bool = False


def enabled_actions(now: Situation) -> dict[str, bool]:
    """Whether each key works.

    Behind the large view a key would act unseen, so only what works everywhere does; L shows the newest
    there, too. While words are typed, only Esc does. Under a dialog none does: with one of its lists open,
    a completion for example, Qt would hand the keys to the window below.
    """
    if now.dialog_open:
        return dict.fromkeys((binding.name for binding in BINDINGS), False)
    typing = now.typing and now.page in (REVIEW, LIVE)
    able = {}
    for binding in BINDINGS:
        here = now.page in binding.pages and not typing
        if binding.pages != EVERYWHERE:
            here = here and not now.covered and (now.page != REVIEW or now.review_open)
        able[binding.name] = here
    if now.looking_only and now.page == REVIEW:
        able.update(dict.fromkeys(CORRECTING, False))
    able["escape"] = True
    able["last_saved"] = now.page == LIVE
    able["auto_region"] = able["auto_region"] and now.region_by_hand
    able["review"] = able["review"] and (now.page != LIVE or now.scan_to_review)
    able["export"] = able["export"] and (now.page != LIVE or now.scan_to_review)
    scanning = now.running and not now.stopping
    for name in ("capture", "region", "auto_region", "tap"):
        able[name] = able[name] and scanning
    for name in (binding.name for binding in _HELD):
        able[name] = able[name] and scanning and not now.choosing_region
    for name in (binding.name for binding in _STRIP):
        named = now.naming or not name.startswith("name_")
        able[name] = able[name] and scanning and named and not now.choosing_region
    if now.page == LIVE:
        for name in _ON_HELD:
            able[name] = able[name] and scanning and now.frozen
        for name in ("undo", "redo", "remove"):
            able[name] = able[name] and scanning
    able["freeze"] = able["freeze"] and (scanning or now.frozen)
    able["record"] = able["record"] and scanning and now.can_record
    able["start_stop"] = able["start_stop"] and not now.stopping and (now.running or now.can_start)
    return able


def checked_actions(now: Situation) -> dict[str, bool]:
    """Whether each key that switches something shows that it is on; the review page's own are not here."""
    return {
        "freeze": now.frozen,
        "heat_map": now.heat_map,
        "checklist": now.checklist_open,
        "region": now.choosing_region,
        "record": now.recording,
    }


def start_title(now: Situation) -> str:
    """What the button says that starts and stops."""
    return "Stopping" if now.stopping else "Stop" if now.running else "Start"
