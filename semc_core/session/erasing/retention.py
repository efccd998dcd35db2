"""Deleting whole sessions: by age or size, where the user wants that, planned first, then done, and logged;
or one that a person chose.

Never one that is open, that a window still shows, that was not closed properly, that cannot be read, that
waits to be sent, or that was never exported, unless that is asked for. The log lies outside of the sessions
and names each by the hash of its first entry: a folder's name may be a patient's.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from semc_core.errors import SaveError, SemcError, SessionError, SessionInUse
from semc_core.io.atomic import save_error
from semc_core.io.lock import SHOWN_NAME, WriterLock, is_held
from semc_core.io.private import keep_private_file, make_private_folder
from semc_core.language import N_, _
from semc_core.session.erasing.rule import Retention
from semc_core.session.listing import session_folders
from semc_core.session.session import Session
from semc_core.text import utc_now

LOG_NAME: Final = "retention.jsonl"
_GOING: Final = ".deleting-"
"""What the name of a folder begins with while it is deleted: a kill leaves no half session in sight."""


_ANY: Final = Retention(unexported=True)
_LINK: Final = "it is a link to another place"
_UNREAD: Final = "it cannot be read"
_NOT_CLOSED: Final = "it is open, or was never closed"
_OPEN: Final = "it is open"
_SHOWN: Final = "a window still shows its scan; begin another scan there, or close it"
_WAITS: Final = "something of it waits to be sent"
_STAYS: Final = {
    _LINK: N_("The session stays: it is a link to another place; delete it where it lies."),
    _UNREAD: N_(
        "The session stays: it cannot be read; look into its folder, and delete that yourself if nobody "
        "needs it."
    ),
    _NOT_CLOSED: N_(
        "The session stays: it is open, or was never closed; close it where it is open, or open it in "
        "review once, which puts right what a crash left."
    ),
    _OPEN: N_("The session stays: it is open; close it where it is open, then try again."),
    _SHOWN: N_(
        "The session stays: another window still shows its scan; begin another scan there, or close that "
        "window, then try again."
    ),
}
_CHOSEN: Final = "a person chose it"


@dataclass(frozen=True, slots=True)
class Held:
    """A session, and what is to become of it.

    Attributes:
        folder: Of the session.
        session: Hash of its log's first entry; "" where it cannot be read.
        changed: When its log was added to last; None where it cannot be read.
        size: Of its files, bytes.
        why: Why it goes, or why it stays although it is old; or "".
        goes: Whether it is to be deleted.
    """

    folder: Path
    session: str
    changed: datetime | None
    size: int
    why: str = ""
    goes: bool = False


def plan(
    root: Path,
    rule: Retention,
    now: datetime | None = None,
    stopped: Callable[[], bool] = lambda: False,
    waiting: Collection[Path] = (),
) -> list[Held]:
    """What would become of the sessions in `root`, oldest first. Nothing is deleted.

    Args:
        root: The folder that holds them.
        rule: What is wanted.
        now: Time to count from; None for the clock's.
        stopped: Asked before each: once it says so, nothing is planned at all.
        waiting: Of which something waits to be sent (`pacs.queue.sessions_that_wait`): they stay.

    Raises:
        SaveError: `root` cannot be read.
    """
    try:
        looked_at = []
        for folder in session_folders(root):
            if stopped():
                return []
            held = _look(folder, rule)
            waits = not held.why and folder.resolve() in waiting
            looked_at.append(replace(held, why=_WAITS) if waits else held)
    except OSError as error:
        raise save_error(root, error) from error
    now = now or datetime.now(UTC)
    total, found = sum(each.size for each in looked_at), []
    for each in sorted(looked_at, key=lambda one: (one.changed is None, one.changed, one.folder.name)):
        wanted = _wanted(each, rule, now, total)
        goes = bool(wanted) and not each.why
        total -= each.size if goes else 0
        why = wanted if goes else each.why if wanted else ""
        found.append(Held(each.folder, each.session, each.changed, each.size, why, goes))
    return found


def carry_out(planned: list[Held], log_folder: Path) -> list[Held]:
    """Delete what is to go. Returns what went: one that was opened or changed meanwhile stays.

    Raises:
        SaveError: One could not be deleted, or this could not be logged.
    """
    gone = []
    for each in planned:
        if each.goes and not _held(each.folder) and _look(each.folder, _ANY).changed == each.changed:
            _note(log_folder, each)
            _delete(each.folder)
            gone.append(each)
    return gone


def delete_old(
    root: Path,
    rule: Retention,
    log_folder: Path,
    stopped: Callable[[], bool],
    waiting: Collection[Path] = (),
) -> list[Held]:
    """Delete what the rule says, with what a kill left half deleted. Returns what went.

    Args:
        root: The folder that holds the sessions; where there is none, nothing is done.
        rule: What is wanted.
        log_folder: Where it is logged.
        stopped: Asked before each session whether to leave it at that.
        waiting: See `plan`.

    Raises:
        SaveError: As `plan` and `carry_out`.
    """
    if not root.is_dir():
        return []
    clear_half_deleted(root)
    gone: list[Held] = []
    for each in plan(root, rule, stopped=stopped, waiting=waiting):
        if stopped():
            break
        gone += carry_out([each], log_folder)
    return gone


def delete_one(folder: Path, log_folder: Path) -> Held:
    """Delete a session that a person chose, also one that was never exported. Returns what went.

    Args:
        folder: Of the session.
        log_folder: Where it is logged.

    Raises:
        SessionError: It stays: it is open, was never closed, cannot be read, or changed meanwhile.
        SaveError: It could not be deleted, or this could not be logged.
    """
    clear_half_deleted(folder.parent)
    held = _look(folder, _ANY)
    if held.why:
        raise SessionError(_(_STAYS[held.why]))
    gone = carry_out([replace(held, why=_CHOSEN, goes=True)], log_folder)
    if not gone:
        raise SessionInUse(_("The session stays: it was opened or changed meanwhile; look at it again."))
    return gone[0]


def clear_half_deleted(root: Path) -> None:
    """Go on with what a kill left. Raises SaveError."""
    try:
        for folder in root.glob(f"{_GOING}*"):
            shutil.rmtree(folder)
    except OSError as error:
        raise save_error(root, error) from error


def size_of(folder: Path) -> int:
    """Of the files of a session together, bytes. Raises OSError where one goes meanwhile."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _look(folder: Path, rule: Retention) -> Held:
    size = size_of(folder)
    if folder.is_symlink():
        return Held(folder, "", None, size, _LINK)
    try:
        with Session.open(folder, read_only=True) as session:
            *_before, last = session.audit()
            changed = datetime.fromisoformat(last.time_utc).astimezone(UTC)
            closed, exported, name = session.closed, bool(session.exports()), session.id
    except (SemcError, ValueError):
        return Held(folder, "", None, size, _UNREAD)
    if not closed:
        why = _NOT_CLOSED
    elif not exported and not rule.unexported:
        why = "it was never exported"
    else:
        why = _held(folder)
    return Held(folder, name, changed, size, why)


def _wanted(each: Held, rule: Retention, now: datetime, total: int) -> str:
    """Why the rule wants a session to go; or ""."""
    old = each.changed is None or (rule.days is not None and now - each.changed > timedelta(days=rule.days))
    if rule.days is not None and old:
        return f"it is older than {rule.days:g} days"
    if rule.most_bytes is not None and total > rule.most_bytes:
        return f"the sessions are larger than {rule.most_bytes / 1e9:g} GB together"
    return ""


def _held(folder: Path) -> str:
    """Why nobody may take the session away now; or "": it is open for writing, or shown."""
    try:
        WriterLock(folder).release()
    except (SessionInUse, SaveError):
        return _OPEN
    return _SHOWN if is_held(folder, SHOWN_NAME) else ""


def _delete(folder: Path) -> None:
    going = folder.with_name(f"{_GOING}{folder.name}")
    try:
        folder.rename(going)
        shutil.rmtree(going)
    except OSError as error:
        raise save_error(folder, error) from error


def _note(log_folder: Path, each: Held) -> None:
    path = log_folder / LOG_NAME
    told = {"time_utc": utc_now(), "session": each.session, "bytes": each.size, "why": each.why}
    try:
        make_private_folder(log_folder)
        keep_private_file(path)
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(told) + "\n")
    except OSError as error:
        raise save_error(log_folder, error) from error
