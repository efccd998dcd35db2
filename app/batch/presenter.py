"""What is said of several loops, and how their list goes on: pure data and functions. No Qt here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from semc_core.language import N_, _, plural

COLUMNS: Final = (
    N_("Loop file"), N_("State"), N_("Length"), N_("Planes"), N_("Checklist"), N_("Found"),
)  # fmt: skip
_NONE: Final = N_("No loop is here yet. Add files or a folder, or drop them here.")
LOOKING: Final = N_("Looking for loops …")
_STOPPED: Final = N_("Stopped; Space goes on.")


class State(Enum):
    """How a loop of the list stands."""

    WAITING = "waiting"
    ANALYSING = "analysing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Summary:
    """What is in a loop's session.

    Attributes:
        session: Its folder.
        planes: Names of the planes, without the rejected ones, in the order in which they were found.
        settled: Of how many of the protocol's required items nothing is left to do.
        required: How many those are; 0 without a protocol.
        length_s: From its first frame to its last, seconds.
        again: Whether it was analysed before, with the same model and options.
    """

    session: Path
    planes: tuple[str, ...] = ()
    settled: int = 0
    required: int = 0
    length_s: float = 0.0
    again: bool = False


@dataclass(frozen=True, slots=True)
class LoopRow:
    """One loop of the list.

    Attributes:
        path: A file, or a folder of pictures; no two lines have the same.
        state: How it stands.
        done: While it is analysed: frames concluded.
        total: Frames of the loop, as far as is known; 0 before it is open.
        length_s: Seconds; None while that is not known.
        summary: Once it is done: what is in its session.
        fault: Why it could not be analysed, a sentence; or "".
    """

    path: Path
    state: State = State.WAITING
    done: int = 0
    total: int = 0
    length_s: float | None = None
    summary: Summary | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class LoopsSnapshot:
    """How the list stands.

    Attributes:
        rows: In the order in which they are analysed.
        stopped: Whether a person, or a fault that is every loop's, stopped the list.
        held: What the next loop, or the rest of one, waits for, a sentence; or "".
        looking: Whether folders are searched for loops.
        message: What the user should know, a sentence; or "".
    """

    rows: tuple[LoopRow, ...] = ()
    stopped: bool = False
    held: str = ""
    looking: bool = False
    message: str = ""

    @property
    def going_on(self) -> bool:
        """Whether something is being analysed, or will be without anybody's doing."""
        return not self.stopped and any(row.state in (State.WAITING, State.ANALYSING) for row in self.rows)

    def row(self, path: Path | None) -> LoopRow | None:
        """The line of this loop."""
        return next((row for row in self.rows if row.path == path), None)

    def shows(self, folder: Path, loop: str | None) -> bool:
        """Whether a session is of one of these loops.

        Args:
            folder: Of the session.
            loop: Path of what it was made of, or None.
        """
        return any(
            (row.summary is not None and row.summary.session == folder) or str(row.path) == loop
            for row in self.rows
        )


# How the list goes on.


def with_loops(snapshot: LoopsSnapshot, paths: Iterable[Path]) -> LoopsSnapshot:
    """With these loops at its end, each once."""
    known = {row.path for row in snapshot.rows}
    new = [path for path in dict.fromkeys(paths) if path not in known]
    return replace(snapshot, rows=(*snapshot.rows, *map(LoopRow, new)))


def without(snapshot: LoopsSnapshot, path: Path) -> LoopsSnapshot:
    """Without this loop, unless it is being analysed."""
    rows = (row for row in snapshot.rows if row.path != path or row.state is State.ANALYSING)
    return replace(snapshot, rows=tuple(rows))


def with_row(snapshot: LoopsSnapshot, row: LoopRow) -> LoopsSnapshot:
    """With this line in place of the one of the same loop."""
    return replace(snapshot, rows=tuple(row if each.path == row.path else each for each in snapshot.rows))


def next_loop(snapshot: LoopsSnapshot) -> LoopRow | None:
    """The one that is analysed next; None where none waits, or the list was stopped."""
    if snapshot.stopped:
        return None
    return next((row for row in snapshot.rows if row.state is State.WAITING), None)


def done_row(row: LoopRow, summary: Summary) -> LoopRow:
    """The line of a loop that was analysed to its end."""
    return replace(row, state=State.DONE, summary=summary, length_s=summary.length_s, fault="")


def failed_row(row: LoopRow, fault: str) -> LoopRow:
    """The line of a loop that could not be."""
    return replace(row, state=State.FAILED, fault=fault)


def waiting_row(row: LoopRow) -> LoopRow:
    """The line of a loop that is to be analysed, or gone on with."""
    return replace(row, state=State.WAITING, fault="")


# What is shown of it.


def state_words(row: LoopRow, snapshot: LoopsSnapshot) -> str:
    """How it stands, in a few words."""
    if row.state is State.WAITING:
        return _("waiting")
    if row.state is State.FAILED:
        return _("could not be read")
    if row.state is State.DONE:
        again = row.summary is not None and row.summary.again
        return _("done before") if again else _("done")
    holds = snapshot.stopped or bool(snapshot.held)
    if not row.total:
        return _("waiting") if holds else _("analysing …")
    share = f"{100 * row.done // row.total} %"
    if holds:
        return _("stopped at {share}", share=share)
    return _("analysing, {share}", share=share)


def cells(row: LoopRow, snapshot: LoopsSnapshot) -> tuple[str, ...]:
    """A line of the table."""
    length = ""
    if row.length_s is not None:
        length = f"{int(row.length_s) // 60}:{int(row.length_s) % 60:02d}"
    start = row.path.name or str(row.path), state_words(row, snapshot), length
    summary = row.summary
    if row.state is not State.DONE or summary is None:
        return *start, "", "", row.fault
    items = ""
    if summary.required:
        items = _("complete")
        if summary.settled < summary.required:
            items = _("{settled} of {required}", settled=summary.settled, required=summary.required)
    return *start, str(len(summary.planes)), items, names(summary.planes)


def names(planes: Sequence[str]) -> str:
    """Which planes there are: "FHP1 ×3, LLP"."""
    return ", ".join(name if many == 1 else f"{name} ×{many}" for name, many in Counter(planes).items())


def sentence(snapshot: LoopsSnapshot, chosen: LoopRow | None) -> str:
    """What is said below the table.

    Args:
        snapshot: How the list stands.
        chosen: The line that is chosen, or None.
    """
    parts = [snapshot.message, progress(snapshot)]
    if snapshot.stopped and any(row.state in (State.WAITING, State.ANALYSING) for row in snapshot.rows):
        parts.append(_(_STOPPED))
    elif snapshot.going_on:
        parts.append(snapshot.held)
    if snapshot.looking:
        parts.append(_(LOOKING))
    if chosen is not None:
        parts.append(chosen.fault)
    return " ".join(filter(None, parts))


def progress(snapshot: LoopsSnapshot) -> str:
    """How many are done, and how many could not be."""
    rows = snapshot.rows
    if not rows:
        return "" if snapshot.looking else _(_NONE)
    done, failed = (sum(row.state is state for row in rows) for state in (State.DONE, State.FAILED))
    text = plural(
        "{done} of {count} loop is analysed.", "{done} of {count} loops are analysed.", len(rows), done=done
    )
    if failed:
        more = plural("{count} could not be read.", "{count} could not be read.", failed)
        return f"{text} {more}"
    return text
