"""Which keys and buttons work at the moment, and what they say. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.commands import BINDINGS, CORRECTING, EVERYWHERE, LIVE, REVIEW, tool_tip

ONLY_LOOKED_AT: Final = "Nothing can be changed here: this session is open in another window or program."
"""Why what would change the session does not work."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides which keys work.

    Attributes:
        page: That is shown.
        asked: A dialog waits for an answer; what is typed is for it.
        covered: A large view of a saved plane lies over it.
        typing: Words are being typed into the review.
        review_open: There is a session in review.
        looking_only: It is open for writing elsewhere, so nothing in it can be changed here.
        scan_to_review: The last scan is over, and what it found is there to be reviewed.
        running: A scan runs or is about to.
        stopping: A scan is being ended.
        region_by_hand: The region of interest was set by hand.
        can_record: The scan has begun, so that it can be recorded.
        frozen: The picture of the scan is held.
    """

    page: str
    asked: bool = False
    covered: bool = False
    typing: bool = False
    review_open: bool = False
    looking_only: bool = False
    scan_to_review: bool = False
    running: bool = False
    stopping: bool = False
    region_by_hand: bool = False
    can_record: bool = False
    frozen: bool = False


def enabled_actions(now: Situation) -> dict[str, bool]:
    """Whether each key works.

    Behind the large view a key would act unseen, so only what works everywhere does; L shows the newest
    there, too. While words are typed, only Esc does. Under a dialog none does: with one of its lists open,
    a completion for example, Qt would hand the keys to the window below.
    """
    if now.asked:
        return dict.fromkeys((binding.name for binding in BINDINGS), False)
    typing = now.typing and now.page == REVIEW
    able = {}
    for binding in BINDINGS:
        here = now.page in binding.pages and not typing
        if binding.pages != EVERYWHERE:
            here = here and not now.covered and (now.page != REVIEW or now.review_open)
        able[binding.name] = here
    if now.looking_only:
        able.update(dict.fromkeys(CORRECTING, False))
    able["escape"] = True
    able["last_saved"] = now.page == LIVE
    able["auto_region"] = able["auto_region"] and now.region_by_hand
    able["review"] = able["review"] and (now.page != LIVE or now.scan_to_review)
    able["export"] = able["export"] and (now.page != LIVE or now.scan_to_review)
    scanning = now.running and not now.stopping
    for name in ("capture", "region", "auto_region"):
        able[name] = able[name] and scanning
    able["freeze"] = able["freeze"] and (scanning or now.frozen)
    able["record"] = able["record"] and scanning and now.can_record
    able["start_stop"] = able["start_stop"] and not now.stopping
    return able


def correcting_tips(now: Situation) -> dict[str, str]:
    """What is said of each key that corrects, while the mouse rests on its button."""
    tips = {binding.name: tool_tip(binding) for binding in BINDINGS if binding.name in CORRECTING}
    return dict.fromkeys(tips, ONLY_LOOKED_AT) if now.looking_only else tips


def start_title(now: Situation) -> str:
    """What the button says that starts and stops."""
    return "Stopping" if now.stopping else "Stop" if now.running else "Start"
