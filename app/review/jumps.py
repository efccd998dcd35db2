"""Keys that go to what is worth a look, and that play a hold again and again. No Qt here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.formatting import percent
from app.review.commands import ReviewCommands
from app.review.stretches import Doubt, corrected_times, doubts, next_time
from semc_core.language import N_, _
from semc_core.review.inspect import hold_span
from semc_core.session.correcting.sentences import called
from semc_core.session.records import FrameTable, ModelEntry
from semc_core.text import scan_time

_NO_DOUBT: Final = (
    N_("There is no doubtful stretch."),
    N_("There is no doubtful stretch after this."),
    N_("There is no doubtful stretch before this."),
)
_NO_CORRECTION: Final = (
    N_("There is no correction."),
    N_("There is no correction after this."),
    N_("There is no correction before this."),
)


class Jumps:
    """Of one session in review. Called by one thread."""

    def __init__(self, commands: ReviewCommands, model: ModelEntry, say: Callable[[str], None]) -> None:
        """What moves the playhead of `commands`; `say` shows a sentence in the status line."""
        self._commands, self._model, self._say = commands, model, say
        self._doubts: tuple[FrameTable | None, tuple[Doubt, ...]] = (None, ())

    def to_doubt(self, step: int) -> None:
        """To the next stretch in which the model is in doubt (1), or the one before (-1)."""
        table = self._commands.snapshot.table
        if table is not self._doubts[0]:
            self._doubts = table, doubts(table, self._model)
        found = {each.start_s: each for each in self._doubts[1]}
        time_s = next_time(tuple(found), self._commands.playhead.time_s, step)
        if time_s is None:
            self._say(_none(_NO_DOUBT, step, bool(found)))
            return
        self._commands.scrub(time_s)
        here = found[time_s]
        self._say(
            _(
                "In doubt from {start} to {end}: {plane} at most {share}. A adds a plane.",
                start=scan_time(here.start_s),
                end=scan_time(here.end_s),
                plane=here.plane,
                share=percent(here.share),
            )
        )

    def to_correction(self, step: int) -> None:
        """To the next place at which a person decided something (1), or the one before (-1)."""
        planes = self._commands.snapshot.planes
        times = corrected_times(planes, self._commands.snapshot.regions)
        time_s = next_time(times, self._commands.playhead.time_s, step)
        if time_s is None:
            self._say(_none(_NO_CORRECTION, step, bool(times)))
            return
        of_plane = next((plane for plane in planes if plane.time_s == time_s), None)
        if of_plane is None:
            self._commands.scrub(time_s)
        else:
            self._commands.choose(of_plane.plane_id)

    def loop(self) -> None:
        """Play the hold of the chosen plane, or the one that is shown, again and again; once more: do not."""
        head = self._commands.playhead
        if head.loop is not None:
            head.loop, head.playing = None, False
            return
        plane = self._commands.chosen
        if plane is None:
            planes = self._commands.snapshot.planes
            holding = (each for each in planes if each.start_s <= head.time_s <= each.end_s)
            plane = next(holding, None)
        if plane is None:
            self._say(_("Choose a plane first: Up and Down, or click on one."))
            return
        start_s, end_s = hold_span(plane)
        first, last = head.at(start_s), head.at(end_s)
        if last - first < 1:
            self._say(_("This hold has one frame only, so there is nothing to play."))
            return
        head.loop_over(first, last)
        self._say(
            _(
                "{plane} from {start} to {end}, again and again; R or Esc ends it.",
                plane=called(plane, first=True),
                start=scan_time(start_s),
                end=scan_time(end_s),
            )
        )


def _none(sentences: tuple[str, str, str], step: int, any_at_all: bool) -> str:
    none, after, before = sentences
    return _(none if not any_at_all else after if step > 0 else before)


def jump_keys(jumps: Callable[[], Jumps | None]) -> dict[str, Callable[[], object]]:
    """What the keys do, by their names; `jumps` is asked when one is pressed: None where nothing is open."""

    def jump(do: Callable[[Jumps], object]) -> Callable[[], object]:
        return lambda: None if (on := jumps()) is None else do(on)

    return {
        "loop": jump(Jumps.loop),
        "next_doubt": jump(lambda on: on.to_doubt(1)),
        "previous_doubt": jump(lambda on: on.to_doubt(-1)),
        "next_correction": jump(lambda on: on.to_correction(1)),
        "previous_correction": jump(lambda on: on.to_correction(-1)),
    }
