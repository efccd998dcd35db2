"""What the keys of the review page do, but for those of measuring."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app.review.commands import ReviewCommands
from app.review.timeline import TimelineView
from app.view_data import CLASS_KEYS


def review_keys(
    commands: Callable[[], ReviewCommands], timeline: TimelineView
) -> dict[str, Callable[[], object]]:
    """By the names of the keys; `commands` is what they act on, asked for when one is pressed."""
    keys = range(len(CLASS_KEYS))
    return {
        "play": lambda: commands().play(),
        "step_back": lambda: commands().step(-1),
        "step_on": lambda: commands().step(1),
        "second_back": lambda: commands().skip(-1),
        "second_on": lambda: commands().skip(1),
        "to_start": lambda: commands().to_end(False),
        "to_end": lambda: commands().to_end(True),
        "previous_plane": lambda: commands().to_plane(-1),
        "next_plane": lambda: commands().to_plane(1),
        "slower": lambda: commands().playhead.change_speed(-1),
        "faster": lambda: commands().playhead.change_speed(1),
        **{f"class_{i + 1}": partial(lambda n: commands().class_key(n), i) for i in keys},
        "reject": lambda: commands().reject(),
        "reject_why": lambda: commands().reject_why(),
        "use_frame": lambda: commands().use_frame(),
        "remove": lambda: commands().reject(),
        "add": lambda: commands().add(),
        "mark": lambda: commands().mark(),
        "unmark": lambda: commands().unmark(),
        "label": lambda: commands().ask_label(),
        "note": lambda: commands().ask_note(),
        "undo": lambda: commands().undo(),
        "redo": lambda: commands().redo(),
        "zoom_in": lambda: timeline.zoom(2),
        "zoom_out": lambda: timeline.zoom(-2),
        "zoom_all": timeline.zoom_all,
    }
