"""Which keys of the window work at the moment, what changes a session, and which buttons a page has. No Qt.

The table of the keys is `app.bindings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.bindings import BINDINGS as BINDINGS
from app.bindings import EVERYWHERE as EVERYWHERE
from app.bindings import HELD, STRIP
from app.bindings import LIVE as LIVE
from app.bindings import REVIEW as REVIEW
from app.bindings import START as START
from app.bindings import TRAIN as TRAIN
from app.bindings import KeyBinding as KeyBinding
from app.view_data import CLASS_KEYS
from semc_core.language import N_, _

ANNOTATE: Final = ("annotate_text", "annotate_arrow", "annotate_mark")
"""What is written and drawn on the picture; during a scan it holds that first."""

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
    *ANNOTATE,
    *(f"measure_{tool}" for tool in ("distance", "ellipse", "trace", "area", "angle", "scale")),
    "nudge_up_far",
    "nudge_down_far",
    "name_measure",
    "accept_head",
    "ask_age",
    *("fetus", "one_more_fetus", "move_fetus"),
    "undo",
    "redo",
)
"""What changes the session in review, or leads to that."""

_ON_HELD: Final = (
    *(f"nudge_{way}" for way in ("left", "right", "up", "down")),
    *(f"nudge_{way}_far" for way in ("left", "right", "up", "down")),
    *("turn_left", "turn_right"),
    "next_handle",
    "handle_back",
    "name_measure",
    "accept_head",
    "ask_age",
    "reference",
)
"""What works during a scan only while the picture is held."""

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


_KEY_NAMES: Final = {"PgUp": N_("Page up"), "PgDown": N_("Page down"), "Return": N_("Enter")}
_KEY_WORDS: Final = (
    *(N_("Ctrl"), N_("Shift"), N_("Alt"), N_("Space"), N_("Esc"), N_("Enter"), N_("Return"), N_("Del")),
    *(N_("Backspace"), N_("Left"), N_("Right"), N_("Up"), N_("Down"), N_("Home"), N_("End")),
    *(N_("PgUp"), N_("PgDown")),
)
"""What keyboards of other languages call otherwise, as `QKeySequence` writes it."""


def key_words(key: str) -> str:
    """A key as `QKeySequence` writes it, with the words of the language in use: "Strg+Z"."""
    return "+".join(_(part) if part in _KEY_WORDS else part for part in key.split("+"))


def key_name(key: str) -> str:
    """A key as the window calls it."""
    return _(_KEY_NAMES[key]) if key in _KEY_NAMES else key_words(key)


def bindings_of(page: str) -> tuple[KeyBinding, ...]:
    """The keys that work on a page and are listed there."""
    return tuple(binding for binding in BINDINGS if page in binding.pages and binding.help)


ONLY_LOOKED_AT: Final = N_("Nothing can be changed here: this session is open in another window or program.")
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
        earlier: There is a scan before, whose examination this one may go on with.
        naming: A capture is asked for its name, or a plane in the strip is chosen.
        choosing_region: A region of interest is being dragged.
        heat_map: The heat map is laid over the picture.
        checklist_open: The checklist of the page is open.
        reference: The reference picture of a plane is shown beside the picture of the page.
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
    earlier: bool = False
    naming: bool = False
    choosing_region: bool = False
    heat_map: bool = False
    checklist_open: bool = False
    reference: bool = False


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
    for name in (binding.name for binding in HELD):
        able[name] = able[name] and scanning and not now.choosing_region
    for name in (binding.name for binding in STRIP):
        named = now.naming or not name.startswith("name_")
        able[name] = able[name] and scanning and named and not now.choosing_region
    able["same_examination"] = able["same_examination"] and now.earlier
    if now.page == LIVE:
        for name in _ON_HELD:
            able[name] = able[name] and scanning and now.frozen
        for name in ANNOTATE:
            able[name] = able[name] and scanning and not now.choosing_region
        for name in ("undo", "redo", "remove", "fetus", "one_more_fetus"):
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
        "reference": now.reference,
        "region": now.choosing_region,
        "record": now.recording,
    }


def start_title(now: Situation) -> str:
    """What the button says that starts and stops."""
    return _("Stopping") if now.stopping else _("Stop") if now.running else _("Start")
